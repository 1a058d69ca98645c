//! What an op draws has the distribution that the contract names, and `p` is met. 10,000 draws with a fixed seed each:
//! Kolmogorov and Smirnov's distance from the documented distribution, the mean, and the range.

use std::collections::BTreeSet;

use feedline::augment::{Pipeline, Refusal, Scratch, catalogue};
use feedline::image::{Depth, Form, Image, Size};
use feedline::sample::Sample;
use feedline::seed::{Key, Purpose};
use feedline_proto::{rule, v1};

#[path = "distributions/colour.rs"]
mod colour;

#[path = "distributions/dropout.rs"]
mod dropout;

#[path = "distributions/filter.rs"]
mod filter;

#[path = "distributions/geometry.rs"]
mod geometry;

#[path = "distributions/noise.rs"]
mod noise;

#[path = "distributions/policy.rs"]
mod policy;

#[path = "distributions/style.rs"]
mod style;

#[path = "distributions/timm.rs"]
mod timm;

/// A parameter and the distribution that it must have.
pub(crate) struct Case {
    /// The op as TOML spells it.
    pub(crate) op: &'static str,
    /// Where the number stands in its recorded parameters (RFC 6901); empty: they are the number.
    pub(crate) pointer: &'static str,
    /// How it is distributed.
    pub(crate) distribution: Distribution,
}

/// A distribution of one number.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Distribution {
    /// Every number between two equally likely.
    Uniform(f64, f64),
    /// Every whole number from the first to the last, both included, equally likely; true and false are 1 and 0.
    Integers(i64, i64),
    /// Normal, of this mean and standard deviation.
    Normal(f64, f64),
    /// Every odd number from the first to the last, both included and odd, equally likely.
    OddIntegers(i64, i64),
    /// Every one of these texts equally likely.
    Names(&'static [&'static str]),
    /// The absolute value of a normal distribution around 0 with this standard deviation.
    HalfNormal(f64),
}

/// The size of the image that the ops are drawn for.
pub(crate) const SIZE: Size = Size::new(40, 30);
/// The size that the examples are for.
const LARGE: Size = Size::new(224, 224);

#[test]
fn every_parameter_has_the_distribution_that_its_field_names() {
    let (mut failures, mut drawn) = (Vec::new(), ("", Vec::new()));
    for case in cases() {
        // Cases of one op stand together: what it draws is drawn once.
        if drawn.0 != case.op {
            drawn = (case.op, records(case.op, SIZE, DRAWS));
        }
        failures.extend(check(&case, &drawn.1).err());
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn every_op_that_draws_has_its_distributions_checked() {
    let checked: BTreeSet<String> = cases().iter().map(|case| name(case.op)).collect();
    let draws = |example: &str| {
        let records = records(example, LARGE, 16);
        records.iter().any(|record| *record != records[0])
    };
    let missing: Vec<&str> = catalogue::names()
        .filter(|name| !checked.contains(*name))
        .filter(|name| draws(catalogue::entry(name).expect("an op").example))
        .collect();
    assert!(missing.is_empty(), "tests/distributions has no case of {missing:?}");
}

#[test]
fn every_probability_is_met() {
    for name in catalogue::names() {
        let example = catalogue::entry(name).expect("an op").example;
        let mut value: serde_json::Value = serde_json::to_value(op(example)).expect("JSON");
        value[name]["p"] = 0.3.into();
        // Ops without a probability refuse the field.
        let Ok(with_p) = serde_json::from_value::<v1::Op>(value) else { continue };
        let small = pipeline(with_p.clone(), SIZE).map(|pipeline| (pipeline, SIZE));
        let large = small.or_else(|_| pipeline(with_p, LARGE).map(|pipeline| (pipeline, LARGE)));
        let (pipeline, size) = large.unwrap_or_else(|refusal| panic!("{name} with a p of 0.3: {refusal}"));
        let draws = 1000;
        let applied = (0..draws).filter(|position| record(&pipeline, size, *position).is_some()).count();
        let share = applied as f64 / draws as f64;
        // Four standard deviations.
        assert!((share - 0.3).abs() < 4.0 * (0.3_f64 * 0.7 / draws as f64).sqrt(), "{name}: p is 0.3, met {share}");
    }
}

fn cases() -> Vec<Case> {
    [
        colour::cases(),
        dropout::cases(),
        filter::cases(),
        geometry::cases(),
        noise::cases(),
        policy::cases(),
        style::cases(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn check(case: &Case, records: &[serde_json::Value]) -> Result<(), String> {
    let at = |what: String| format!("{}, {:?}: {what}", case.op, case.pointer);
    let mut values = Vec::new();
    for record in records {
        let value = record.pointer(case.pointer).ok_or_else(|| at(format!("not in {record}")))?;
        let number = value.as_f64().or_else(|| value.as_bool().map(|x| f64::from(u8::from(x))));
        let number = number.or_else(|| case.distribution.place(value.as_str()?));
        values.push(number.ok_or_else(|| at(format!("{value} is no number")))?);
    }
    values.sort_by(f64::total_cmp);
    let (low, high) = case.distribution.range();
    if values[0] < low || values[values.len() - 1] > high {
        return Err(at(format!("from {} to {}, not {low} to {high}", values[0], values[values.len() - 1])));
    }
    let n = values.len() as f64;
    let distance = values.iter().enumerate().map(|(rank, value)| {
        let (before, at) = case.distribution.cumulative(*value);
        // Of equal values the last one's rank counts above, and the first one's below.
        let last = values.partition_point(|x| x <= value) as f64 / n;
        let first = values.partition_point(|x| x < value).min(rank) as f64 / n;
        (last - at).abs().max((first - before).abs())
    });
    let distance = distance.fold(0.0, f64::max) * n.sqrt();
    // One fair generator in a thousand is farther off; the seed is fixed, so this one is not.
    if distance > 1.95 {
        return Err(at(format!("{distance:.2} standard distances from {:?}", case.distribution)));
    }
    let mean = values.iter().sum::<f64>() / n;
    let (expected, deviation) = case.distribution.moments();
    if (mean - expected).abs() > 4.0 * deviation / n.sqrt() {
        return Err(at(format!("the mean is {mean}, not {expected}")));
    }
    Ok(())
}

impl Distribution {
    /// Names as whole numbers, by their places; other distributions as they are.
    fn numbers(self) -> Self {
        match self {
            Distribution::Names(names) => Distribution::Integers(0, names.len() as i64 - 1),
            other => other,
        }
    }

    fn place(self, name: &str) -> Option<f64> {
        let Distribution::Names(names) = self else { return None };
        names.iter().position(|known| *known == name).map(|place| place as f64)
    }

    fn range(self) -> (f64, f64) {
        match self {
            Distribution::Names(_) => self.numbers().range(),
            Distribution::Uniform(low, high) => (low, high),
            // Nearer than the most extreme of 10,000 draws ever is to seven deviations.
            Distribution::Normal(mean, deviation) => (mean - 7.0 * deviation, mean + 7.0 * deviation),
            Distribution::Integers(low, high) | Distribution::OddIntegers(low, high) => (low as f64, high as f64),
            Distribution::HalfNormal(_) => (0.0, f64::INFINITY),
        }
    }

    /// The chance of a smaller number than `x`, and of one that is not larger.
    fn cumulative(self, x: f64) -> (f64, f64) {
        match self {
            Distribution::Names(_) => self.numbers().cumulative(x),
            Distribution::Uniform(low, high) => [(x - low) / (high - low); 2].into(),
            Distribution::Integers(low, high) => {
                let (count, below) = ((high - low + 1) as f64, x - low as f64);
                (below / count, (below + 1.0) / count)
            }
            Distribution::Normal(mean, deviation) => {
                let below = 0.5 * libm::erfc((mean - x) / (deviation * 2.0_f64.sqrt()));
                (below, below)
            }
            Distribution::OddIntegers(low, high) => {
                let (count, below) = (((high - low) / 2 + 1) as f64, (x - low as f64) / 2.0);
                (below / count, (below + 1.0) / count)
            }
            Distribution::HalfNormal(deviation) => [libm::erf(x / deviation / 2.0_f64.sqrt()); 2].into(),
        }
    }

    /// Mean and standard deviation.
    fn moments(self) -> (f64, f64) {
        match self {
            Distribution::Names(_) => self.numbers().moments(),
            Distribution::Uniform(low, high) => ((low + high) / 2.0, (high - low) / 12.0_f64.sqrt()),
            Distribution::Integers(low, high) => {
                let count = (high - low + 1) as f64;
                ((low + high) as f64 / 2.0, ((count * count - 1.0) / 12.0).sqrt())
            }
            Distribution::Normal(mean, deviation) => (mean, deviation),
            Distribution::OddIntegers(low, high) => {
                let count = ((high - low) / 2 + 1) as f64;
                ((low + high) as f64 / 2.0, ((count * count - 1.0) / 3.0).sqrt())
            }
            Distribution::HalfNormal(deviation) => {
                let square = std::f64::consts::FRAC_2_PI;
                (deviation * square.sqrt(), deviation * (1.0 - square).sqrt())
            }
        }
    }
}

/// What `op` draws for `count` rows.
fn records(text: &str, size: Size, count: u64) -> Vec<serde_json::Value> {
    let pipeline = pipeline(op(text), size).unwrap_or_else(|refusal| panic!("{text}: {refusal}"));
    (0..count).map(|position| record(&pipeline, size, position).unwrap_or_default()).collect()
}

fn pipeline(op: v1::Op, size: Size) -> Result<Pipeline, Refusal> {
    let mut ops = vec![op];
    if matches!(ops[0].op, Some(v1::op::Op::Normalize(_))) {
        ops.insert(0, v1::Op { op: Some(v1::op::Op::ToFloat(v1::ToFloat::default())) });
    }
    // So that it is not left to the tail of the pipeline, where nothing is recorded.
    ops.push(v1::Op { op: Some(v1::op::Op::HorizontalFlip(v1::HorizontalFlip { p: Some(0.0) })) });
    let pipeline = v1::Pipeline { ops, ..Default::default() };
    let form = Form { smallest: size, largest: size, channels: 3, depth: Depth::U8 };
    Pipeline::build(&rule::with_defaults(&pipeline), form)
}

fn record(pipeline: &Pipeline, size: Size, position: u64) -> Option<serde_json::Value> {
    let pixels: Vec<u8> = (0..size.area() * 3).map(|x| x as u8).collect();
    let key = Key { seed: 11, epoch: 0, position, view: 0, op: 0, purpose: Purpose::Op };
    let sample = Sample::new(Image::from_u8(size, 3, pixels), 0);
    let (_, mut record) = pipeline.run_recorded(sample, key, &mut Scratch::default());
    (!record.is_empty()).then(|| record.remove(0).params)
}

fn op(text: &str) -> v1::Op {
    toml::from_str(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn name(text: &str) -> String {
    text.split([' ', '=']).next().unwrap_or_default().to_owned()
}

const DRAWS: u64 = 10_000;
