use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

/// What an op costs: the time of its example on one thread, on an image of 8 bits of 224 x 224 with three channels. Measured by
/// `benches/versus.py` on one machine; another machine has other figures, of much the same proportions.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Cost {
    /// Median, in microseconds per image.
    pub microseconds: f64,
    /// Median of the reference in the same run, in microseconds per image; none where there is no counterpart.
    pub reference_microseconds: Option<f64>,
    /// The counterpart that was measured.
    pub reference: Option<String>,
    /// Processor that it was measured on.
    pub machine: String,
}

/// The measured cost of an op's example; none for names that were not measured.
pub fn cost(name: &str) -> Option<Cost> {
    let measured = MEASURED.ops.get(name)?;
    Some(Cost {
        microseconds: measured.us,
        reference_microseconds: measured.reference_us,
        reference: measured.reference.clone(),
        machine: MEASURED.machine.clone(),
    })
}

/// `costs.json`.
#[derive(Default, Deserialize)]
struct Measured {
    machine: String,
    ops: BTreeMap<String, Op>,
}

#[derive(Deserialize)]
struct Op {
    us: f64,
    reference_us: Option<f64>,
    reference: Option<String>,
}

static MEASURED: LazyLock<Measured> =
    LazyLock::new(|| serde_json::from_str(include_str!("../costs.json")).unwrap_or_default());

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_costs_can_be_read_and_are_of_ops() {
        let measured: Measured = serde_json::from_str(include_str!("../costs.json")).expect("as described here");
        for (name, op) in &measured.ops {
            assert!(crate::augment::catalogue::entry(name).is_some(), "{name} is no op");
            assert!(op.us > 0.0 && op.reference_us.is_none_or(|us| us > 0.0), "{name}");
            assert_eq!(op.reference_us.is_some(), op.reference.is_some(), "{name}");
        }
    }
}
