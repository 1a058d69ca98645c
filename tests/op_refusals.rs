//! Promise: a bad parameter of any op is refused before anything runs, naming op, field, value and range. Every field of every
//! op, as the contract declares it, is set to what its rule forbids.

mod common;

use common::*;
use feedline::augment::catalogue;
use feedline::engine::Engine;
use feedline_proto::describe::{self, Count, Default as Absence, Described, Field, Value};
use feedline_proto::v1;
use serde_json::{Value as Json, json};

/// A value that the rule of a field forbids, and what the refusal must say beside the field's path.
struct Bad {
    value: Json,
    says: Vec<String>,
}

#[test]
fn every_field_of_every_op_is_refused_out_of_its_range_by_name() {
    let engine = photographs_engine(1);
    let (mut checked, mut failures) = (0, Vec::new());
    for op in describe::ops() {
        // Groups have no example; what they refuse is in tests/refusals.rs.
        let Some(entry) = catalogue::entry(&op.name) else { continue };
        let example: v1::Op = toml::from_str(entry.example).unwrap_or_else(|error| panic!("{}: {error}", op.name));
        let example = serde_json::to_value(example).expect("JSON");
        for field in &op.fields {
            for Bad { value, says } in bad(field) {
                checked += 1;
                let mut message = example.clone();
                message[&op.name][&field.name] = value.clone();
                let path = format!("spec.pipeline.ops[0].{}.{}", op.name, field.name);
                let refusal = refusal(&engine, message);
                if !refusal.contains(&path) || !says.iter().all(|text| refusal.contains(text)) {
                    failures.push(format!("{path} = {value}: {refusal:?} does not say {says:?}"));
                }
            }
        }
    }
    assert!(checked > 2 * describe::ops().len(), "only {checked} values were tried");
    assert!(failures.is_empty(), "{} of {checked}:\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn every_required_field_is_missed_by_name() {
    let engine = photographs_engine(1);
    for op in describe::ops().iter().filter(|op| catalogue::entry(&op.name).is_some()) {
        let Described { name, fields, .. } = op;
        for field in fields.iter().filter(|field| field.default == Absence::Required) {
            let entry = catalogue::entry(name).expect("filtered");
            let example: v1::Op = toml::from_str(entry.example).expect("a known op");
            let mut message = serde_json::to_value(example).expect("JSON");
            message[name].as_object_mut().expect("a message").remove(&field.name);
            let refusal = refusal(&engine, message);
            let expected = format!("spec.pipeline.ops[0].{name}.{} is missing, expected", field.name);
            assert!(refusal.contains(&expected), "{refusal:?} does not say {expected:?}");
        }
    }
}

#[cfg(not(feature = "onnx"))]
#[test]
fn a_server_without_the_feature_onnx_says_so() {
    let op = serde_json::json!({ "onnx": { "model": "small.onnx" } });
    let refusal = refusal(&photographs_engine(1), op);
    assert!(refusal.contains("spec.pipeline.ops[0].onnx"), "{refusal}");
    assert!(refusal.contains("built without the feature onnx"), "{refusal}");
}

/// What `Describe` says to a pipeline of this op and a resize.
fn refusal(engine: &Engine, op: Json) -> String {
    let op: v1::Op = match serde_json::from_value(op.clone()) {
        Ok(op) => op,
        Err(error) => panic!("{op}: {error}"),
    };
    let resize = v1::Resize { height: 32, width: 32, ..Default::default() };
    let mut spec = spec_of([], 8);
    let ops = &mut spec.pipeline.get_or_insert_default().ops;
    *ops = vec![op, v1::Op { op: Some(v1::op::Op::Resize(resize)) }];
    match engine.resolve(&spec, &rank(0, 1), &from(0, 0, 1)) {
        Ok(_) => "not refused".into(),
        Err(error) => error.to_string(),
    }
}

/// Values beyond both ends of the field's range, and an inverted range.
fn bad(field: &Field) -> Vec<Bad> {
    let bounds = field.bounds;
    let mut bad = Vec::new();
    let one = |value: f64| -> Json {
        match field.value {
            Value::Integer => json!(value as u64),
            _ => json!(value),
        }
    };
    let shaped = |value: f64| match (field.count, bounds.items) {
        (Count::One, _) => one(value),
        (Count::Range, _) => json!([one(value), one(value)]),
        (Count::List, 0) => json!([one(value)]),
        (Count::List, items) => Json::Array((0..items).map(|_| one(value)).collect()),
    };
    if !matches!(field.value, Value::Number | Value::Integer) {
        return bad;
    }
    if let Some(max) = bounds.max {
        let over = max + 1.0;
        bad.push(Bad { value: shaped(over), says: vec![over.to_string(), "expected".into(), max.to_string()] });
    }
    match bounds.min {
        // Whole numbers of the contract have no sign: there is nothing below 0.
        Some(min) if matches!(field.value, Value::Number) => {
            let under = if bounds.above_min { min } else { min - 1.0 };
            bad.push(Bad { value: shaped(under), says: vec![under.to_string(), "expected".into()] });
        }
        Some(min) if min >= 2.0 => {
            bad.push(Bad { value: shaped(min - 1.0), says: vec![(min - 1.0).to_string(), "expected".into()] });
        }
        _ => {}
    }
    if field.count == Count::Range {
        let (low, high) = (bounds.min.unwrap_or(0.0) + 0.25, bounds.min.unwrap_or(0.0) + 0.5);
        let inverted = match field.value {
            Value::Integer => {
                let low = bounds.min.unwrap_or(0.0) + 1.0;
                json!([one(low + 1.0), one(low)])
            }
            _ => json!([high, low]),
        };
        bad.push(Bad { value: inverted, says: vec!["low not above high".into()] });
    }
    bad
}
