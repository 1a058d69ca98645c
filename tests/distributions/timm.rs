//! Policies of timm's draw the chains and the arguments of Pillow's functions that timm itself draws, as
//! `tests/golden/make_policy.py` found them: `tests/data/golden/timm_policies.json`.

use std::collections::{BTreeMap, BTreeSet};

use crate::{SIZE, records};

#[derive(serde::Deserialize)]
struct Found {
    /// Name and version.
    producer: String,
    /// Of the image.
    width: u32,
    height: u32,
    policies: BTreeMap<String, Policy>,
}

#[derive(serde::Deserialize)]
struct Policy {
    /// How many there are of a sample.
    chains: usize,
    /// How many ops one may have.
    depths: BTreeSet<usize>,
    /// By op, sorted.
    arguments: BTreeMap<String, Vec<f64>>,
}

#[test]
fn policies_draw_what_timm_draws() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/golden/timm_policies.json");
    let text = std::fs::read_to_string(path).expect("committed");
    let found: Found = serde_json::from_str(&text).expect("as make_policy.py writes it");
    assert_eq!((found.width, found.height), (SIZE.width, SIZE.height));
    let mut wrong = Vec::new();
    for (name, policy) in &found.policies {
        let drawn = drawn(name);
        if drawn.chains != policy.chains || drawn.depths != policy.depths {
            wrong.push(format!("{name}: {} chains of {:?}", drawn.chains, drawn.depths));
        }
        let names = |arguments: &BTreeMap<String, Vec<f64>>| arguments.keys().cloned().collect::<Vec<_>>();
        if names(&drawn.arguments) != names(&policy.arguments) {
            wrong.push(format!("{name}: the ops are {:?}", names(&drawn.arguments)));
        }
        for (op, arguments) in &drawn.arguments {
            let expected = policy.arguments.get(op).map_or(&[][..], Vec::as_slice);
            let near = |(a, b): (&f64, &f64)| (a - b).abs() < 1e-12;
            if arguments.len() != expected.len() || !arguments.iter().zip(expected).all(near) {
                wrong.push(format!("{name}: {op} is called with {arguments:?}, not {expected:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "other than {}:\n{}", found.producer, wrong.join("\n"));
}

/// What is drawn for a few thousand samples.
fn drawn(policy: &str) -> Policy {
    let mut chains = BTreeSet::new();
    let mut depths = BTreeSet::new();
    let mut arguments: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for record in records(&format!("timm_augment = {{ policy = \"{policy}\" }}"), SIZE, 1_500) {
        let of_mix = record.pointer("/mix/chains").and_then(|chains| chains.as_array()).cloned();
        // A chain of none is left out.
        let all = of_mix.unwrap_or_else(|| vec![record.get("chain").cloned().unwrap_or_else(|| serde_json::json!([]))]);
        chains.insert(all.len());
        for chain in &all {
            let steps = chain.as_array().expect("a list");
            depths.insert(steps.len());
            for step in steps {
                // Zero has no sign.
                let argument = step["magnitude"].as_f64().expect("a number") + 0.0;
                arguments.entry(step["op"].as_str().expect("a name").to_owned()).or_default().push(argument);
            }
        }
    }
    for values in arguments.values_mut() {
        values.sort_by(f64::total_cmp);
        values.dedup();
    }
    assert_eq!(chains.len(), 1, "{policy} has {chains:?} chains");
    Policy { chains: chains.into_iter().sum(), depths, arguments }
}
