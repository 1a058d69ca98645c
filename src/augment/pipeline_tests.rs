use std::collections::HashSet;

use feedline_proto::rule;
use serde_json::{Value, json};

use super::*;
use crate::augment::preset;
use crate::image::{Image, Size};
use crate::seed::Purpose;

fn message(ops: Value) -> v1::Pipeline {
    let pipeline: v1::Pipeline = serde_json::from_value(json!({ "ops": ops })).expect("as the contract spells it");
    rule::check(&pipeline).expect("within the rules");
    rule::with_defaults(&pipeline)
}

fn bytes(size: Size) -> Form {
    Form { smallest: size, largest: size, channels: 3, depth: Depth::U8 }
}

fn built(ops: Value) -> Pipeline {
    Pipeline::build(&message(ops), bytes(SIZE)).expect("a valid pipeline")
}

fn refused(ops: Value) -> Refusal {
    Pipeline::build(&message(ops), bytes(SIZE)).err().expect("to be refused")
}

fn key(position: u64) -> Key {
    Key { seed: 5, epoch: 2, position, view: 0, op: 0, purpose: Purpose::Op }
}

fn sample() -> Sample<'static> {
    let values: Vec<u8> = (0..SIZE.area() * 3).map(|i| (i * 37 % 256) as u8).collect();
    Sample::new(Image::from_u8(SIZE, 3, values), 1)
}

/// Numbers of the ops that ran for the row at `position`, in order.
fn ran(pipeline: &Pipeline, position: u64) -> Vec<u32> {
    let (_, record) = pipeline.run_recorded(sample(), key(position), &mut Scratch::default());
    record.iter().map(|entry| entry.number).collect()
}

/// A brightness that keeps the form, so that it may stand in any group.
fn op() -> Value {
    json!({ "brightness": { "factor": [0.5, 1.5] } })
}

const SIZE: Size = Size::new(9, 7);

#[test]
fn one_of_takes_one_by_weight() {
    let pipeline = built(json!([{ "one_of": { "ops": [op(), op(), op()], "weights": [1, 0, 3] } }]));
    let mut counts = [0; 4];
    for position in 0..2000 {
        let ran = ran(&pipeline, position);
        assert_eq!(ran.len(), 1);
        counts[ran[0] as usize] += 1;
    }
    assert_eq!((counts[0], counts[2]), (0, 0), "number 0 is the group, number 2 has no weight");
    // 500 of 2000 expected, standard deviation 19.
    assert!((420..580).contains(&counts[1]), "{counts:?}");
}

#[test]
fn some_of_takes_so_many_different_ones_in_the_order_written() {
    let pipeline = built(json!([{ "some_of": { "ops": [op(), op(), op(), op()], "count": 2 } }]));
    let mut seen = HashSet::new();
    for position in 0..200 {
        let ran = ran(&pipeline, position);
        assert!(ran.len() == 2 && ran[0] < ran[1], "{ran:?}");
        seen.insert(ran);
    }
    assert_eq!(seen.len(), 6, "every pair of four");
}

#[test]
fn some_of_with_replacement_takes_the_same_op_again_with_other_parameters() {
    let group = json!({ "some_of": { "ops": [op(), op()], "count": 3, "replace": true } });
    let pipeline = built(json!([group, op()]));
    let mut seen = HashSet::new();
    for position in 0..300 {
        let (made, record) = pipeline.run_recorded(sample(), key(position), &mut Scratch::default());
        assert_eq!(record.len(), 4);
        let drawn: HashSet<String> = record.iter().map(|entry| entry.params.to_string()).collect();
        assert_eq!(drawn.len(), 4, "every repetition draws for itself");
        assert_eq!(made, pipeline.replay(sample(), &record, &mut Scratch::default()).expect("its own record"));
        // Repetition k has the numbers 1 + 2 k and 2 + 2 k; the op behind the group is number 7.
        let chosen: Vec<u32> = record[..3].iter().map(|entry| (entry.number - 1) % 2).collect();
        assert!(chosen.is_sorted() && record[3].number == 7, "{record:?}");
        seen.insert(chosen);
    }
    assert_eq!(seen.len(), 4, "none to three times the second");
    let many = json!([{ "some_of": { "ops": [op(), op()], "count": 128, "replace": true } }]);
    assert_eq!(refused(many).expected, "at most 256", "repetitions count");
}

#[test]
fn random_order_of_some_takes_so_many() {
    let pipeline = built(json!([{ "random_order": { "ops": [op(), op(), op()], "count": 2 } }]));
    let seen: HashSet<Vec<u32>> = (0..200).map(|position| ran(&pipeline, position)).collect();
    assert_eq!(seen.len(), 6, "every ordered pair of three");
    assert!(seen.iter().all(|ran| ran.len() == 2 && ran[0] != ran[1]));
    let refusal = refused(json!([{ "random_order": { "ops": [op()], "count": 2 } }]));
    assert_eq!(refusal.field, "pipeline.ops[0].random_order.count");
}

#[test]
fn random_order_takes_all_in_every_order() {
    let pipeline = built(json!([{ "random_order": { "ops": [op(), op(), op()] } }]));
    let mut seen = HashSet::new();
    for position in 0..200 {
        let ran = ran(&pipeline, position);
        assert_eq!(ran.iter().copied().collect::<HashSet<_>>(), HashSet::from([1, 2, 3]));
        seen.insert(ran);
    }
    assert_eq!(seen.len(), 6);
}

#[test]
fn a_sequence_runs_whole_or_not_at_all() {
    let pipeline = built(json!([{ "sequence": { "ops": [op(), op()], "p": 0.5 } }, op()]));
    let seen: HashSet<Vec<u32>> = (0..200).map(|position| ran(&pipeline, position)).collect();
    assert_eq!(seen, HashSet::from([vec![3], vec![1, 2, 3]]));
}

#[test]
fn groups_stand_in_groups_and_are_counted_depth_first() {
    let inner = json!({ "one_of": { "ops": [op(), { "sequence": { "ops": [op(), op()] } }] } });
    let pipeline = built(json!([{ "random_order": { "ops": [inner, op()] } }, op()]));
    let numbers: HashSet<u32> = (0..200).flat_map(|position| ran(&pipeline, position)).collect();
    // 0 random_order, 1 one_of, 2, 3 sequence, 4, 5; then 6, and 7 behind the group.
    assert_eq!(numbers, HashSet::from([2, 4, 5, 6, 7]));
}

#[test]
fn probabilities_of_0_and_1_are_certain() {
    let with = |p: f64| built(json!([{ "color_jitter": { "brightness": [0.2, 0.3], "p": p } }]));
    for position in 0..50 {
        assert_eq!(ran(&with(0.0), position), [0_u32; 0]);
        assert_eq!(ran(&with(1.0), position), [0]);
    }
    let applied = (0..1000).filter(|position| !ran(&with(0.25), *position).is_empty()).count();
    assert!((200..300).contains(&applied), "{applied}");
}

#[test]
fn what_was_recorded_gives_the_same_bytes_when_replayed() {
    let jitter = json!({ "color_jitter": {
        "brightness": [0.6, 1.4], "contrast": [0.6, 1.4], "saturation": [0.6, 1.4], "hue": [-0.1, 0.1], "p": 0.8 } });
    let gray = json!({ "one_of": { "ops": [{ "grayscale": {} }, { "contrast": { "factor": [0, 2] } }], "p": 0.5 } });
    let pipeline = built(json!([{ "horizontal_flip": {} }, jitter, gray]));
    let mut scratch = Scratch::default();
    let mut seen = HashSet::new();
    for position in 0..50 {
        let (made, record) = pipeline.run_recorded(sample(), key(position), &mut scratch);
        assert_eq!(made, pipeline.run(sample(), key(position), &mut scratch), "recording changes nothing");
        assert_eq!(made, pipeline.replay(sample(), &record, &mut scratch).expect("its own record"));
        seen.insert(made.image.as_u8().expect("8 bits").to_vec());
    }
    assert!(seen.len() > 40, "rows differ");
}

#[test]
fn a_record_that_does_not_fit_is_refused() {
    let pipeline = built(json!([op(), { "hue": { "delta": [0.1, 0.2] } }]));
    let entry = |number, op: &str, params| Recorded { number, op: op.to_owned(), params };
    let fits = [entry(1, "hue", json!(0.1)), entry(0, "brightness", json!(1.5))];
    assert!(pipeline.replay(sample(), &fits, &mut Scratch::default()).is_ok());
    for wrong in [entry(1, "brightness", json!(1.0)), entry(7, "hue", json!(0.1)), entry(1, "hue", json!("a lot"))] {
        assert!(pipeline.replay(sample(), &[wrong], &mut Scratch::default()).is_err());
    }
}

#[test]
fn limits_of_number_and_depth_are_named() {
    assert!(Pipeline::build(&message(json!(vec![op(); 256])), bytes(SIZE)).is_ok());
    let refusal = refused(json!(vec![op(); 257]));
    assert_eq!((&refusal.field[..], &refusal.expected[..]), ("pipeline.ops", "at most 256"));
    let hidden = json!([{ "sequence": { "ops": vec![op(); 256] } }]);
    assert_eq!(refused(hidden).expected, "at most 256", "groups and what is inside count too");
    let nested = |depth: usize| (1..depth).fold(op(), |inner, _| json!({ "sequence": { "ops": [inner] } }));
    assert!(Pipeline::build(&message(json!([nested(8)])), bytes(SIZE)).is_ok());
    let refusal = refused(json!([nested(9)]));
    assert_eq!((&refusal.found[..], &refusal.expected[..]), ("9 levels deep", "at most 8 levels"));
    assert!(refusal.field.starts_with("pipeline.ops[0].sequence.ops[0].sequence.ops[0]"), "{refusal}");
}

#[test]
fn groups_refuse_what_would_leave_the_next_op_in_the_dark() {
    let to_float = json!({ "to_float": {} });
    let refusal = refused(json!([{ "one_of": { "ops": [op(), to_float] } }]));
    assert!(refusal.field.starts_with("pipeline.ops[0].one_of.ops[1]"), "{refusal}");
    assert_eq!(
        refused(json!([{ "random_order": { "ops": [op(), to_float] } }])).field,
        "pipeline.ops[0].random_order.ops[1].p"
    );
    assert_eq!(refused(json!([{ "some_of": { "ops": [to_float], "count": 1 } }])).field, "pipeline.ops[0].some_of.ops");
    assert_eq!(refused(json!([{ "some_of": { "ops": [op()], "count": 2 } }])).field, "pipeline.ops[0].some_of.count");
    assert_eq!(refused(json!([{ "sequence": { "ops": [to_float], "p": 0.5 } }])).field, "pipeline.ops[0].p");
    for weights in [json!([1]), json!([0, 0]), json!([1, 1, 1])] {
        let refusal = refused(json!([{ "one_of": { "ops": [op(), op()], "weights": weights } }]));
        assert_eq!(refusal.field, "pipeline.ops[0].one_of.weights");
    }
    let empty = v1::Pipeline { ops: vec![v1::Op { op: None }], ..Default::default() };
    assert_eq!(Pipeline::build(&empty, bytes(SIZE)).err().map(|refusal| refusal.field), Some("pipeline.ops[0]".into()));
}

#[test]
fn what_is_not_a_number_is_refused_by_the_rules() {
    for wrong in [f64::NAN, f64::INFINITY, -0.1, 1000.5] {
        let factor = vec![1.0, wrong];
        let op = v1::op::Op::Contrast(v1::Contrast { factor, ..Default::default() });
        let pipeline = v1::Pipeline { ops: vec![v1::Op { op: Some(op) }], ..Default::default() };
        let found = rule::check(&pipeline).expect_err("no factor");
        assert!(found[0].field.starts_with("ops[0].contrast.factor"), "{}", found[0]);
    }
}

#[test]
fn the_last_ops_of_8_bit_images_are_left_to_a_table() {
    let tail = json!([{ "horizontal_flip": {} }, { "to_float": {} }, { "normalize": {} }]);
    let pipeline = built(tail);
    assert_eq!(pipeline.output().depth, Depth::U8);
    let tail = pipeline.tail().expect("a tail");
    assert_eq!(tail.normalization.mean, [0.485, 0.456, 0.406]);
    assert_eq!(pipeline.versions(), [("horizontal_flip", 1), ("normalize", 1), ("to_float", 1)]);
    // Floats in the middle: nothing is left to a table.
    let pipeline = built(json!([{ "to_float": {} }, op(), { "normalize": {} }]));
    assert!(pipeline.tail().is_none());
    assert_eq!(pipeline.output().depth, Depth::F32 { full: None });
    // Neither is what no table can do: two divisions.
    assert!(built(json!([{ "to_float": {} }, { "to_float": { "divisor": 2 } }])).tail().is_none());
    assert_eq!(refused(json!([{ "normalize": {} }])).field, "pipeline.ops[0].normalize");
}

#[test]
fn every_preset_builds_on_a_photograph() {
    for (name, _) in preset::PRESETS {
        let ops = preset::ops(name).expect("a preset that is listed");
        let message = rule::with_defaults(&v1::Pipeline { ops, ..Default::default() });
        rule::check(&message).expect("a preset within the rules");
        let pipeline = Pipeline::build(&message, bytes(Size::new(500, 375))).expect("a preset that builds");
        let expected = if name == "none" { Size::new(500, 375) } else { Size::new(224, 224) };
        assert_eq!(pipeline.output().fixed(), Some(expected), "{name}");
        let values = vec![90; 500 * 375 * 3];
        let sample = Sample::new(Image::from_u8(Size::new(500, 375), 3, values), 0);
        let made = pipeline.run(sample, key(0), &mut Scratch::default());
        assert_eq!(made.image.size(), expected, "{name}");
    }
    assert!(preset::ops("no such").is_none());
}

#[test]
fn steps_that_wait_give_the_bits_of_ops_done_one_after_the_other() {
    let size = Size::new(37, 11);
    let mirror = json!({ "horizontal_flip": {} });
    let add = json!({ "brightness": { "delta": [-0.4, 0.4], "p": 0.8 } });
    let many: Vec<Value> = (0..12).flat_map(|_| [add.clone(), json!({ "to_float": { "divisor": 1.1 } })]).collect();
    let pipelines = [
        json!([{ "to_float": {} }, mirror, add, { "clip": {} }]),
        json!([{ "to_float": {} }, add, mirror, { "brightness": { "factor": [0.5, 1.6] } }, mirror, { "normalize": {} }]),
        // Others between them see what is done, by its values and by its sides.
        json!([{ "to_float": {} }, add, mirror, { "contrast": { "factor": [0.5, 1.5], "method": "tensorflow" } }, mirror, { "clip": {} }]),
        json!([{ "to_float": {} }, mirror, { "random_crop": { "height": 9, "width": 20 } }, { "normalize": {} }, mirror]),
        json!([{ "to_float": {} }, { "one_of": { "ops": [add, mirror] } }, { "sequence": { "ops": [mirror, add], "p": 0.5 } }, mirror]),
        json!([[json!({ "to_float": {} })].to_vec(), many.clone()].concat()),
        // Resizing waits, too, where nothing but steps comes after it.
        json!([{ "resize": { "height": 9, "width": 30, "antialias": false, "output": "float" } }, { "to_float": {} }, mirror, add, { "clip": {} }]),
        json!([{ "to_float": {} }, { "random_resized_crop": { "height": 30, "width": 17, "filter": "bicubic" } }, mirror, { "normalize": {} }, mirror]),
        json!([{ "to_float": {} }, mirror, { "resize": { "height": 14, "width": 23 } }, mirror, add]),
        json!([[json!({ "resize": { "height": 8, "width": 8, "output": "float" } })].to_vec(), many].concat()),
        json!([{ "resize": { "height": 9, "width": 30, "output": "float" } }, mirror, { "random_crop": { "height": 9, "width": 20 } }, mirror]),
        json!([{ "resize": { "height": 11, "width": 37, "output": "float" } }, { "to_float": {} }, mirror]),
    ];
    let (mut left, mut mirrored, mut resized) = (0, 0, 0);
    for (number, ops) in pipelines.into_iter().enumerate() {
        let message: v1::Pipeline = serde_json::from_value(json!({ "ops": ops })).expect("ops");
        let form = Form { smallest: size, largest: size, channels: 3, depth: Depth::U8 };
        let pipeline = Pipeline::build(&rule::with_defaults(&message), form).expect("ops that fit");
        for position in 0..40 {
            let mut rng = key(position).rng();
            let values: Vec<u8> = (0..size.area() * 3).map(|_| rng.below(256) as u8).collect();
            let sample = || Sample::new(Image::from_u8(size, 3, values.clone()), 0);
            // Whoever watches sees each op done.
            let (expected, _) = pipeline.run_recorded(sample(), key(position), &mut Scratch::default());
            let (found, mut finish) = pipeline.run_unfinished(sample(), None, key(position), &mut Scratch::default());
            left += usize::from(!finish.is_nothing());
            resized += usize::from(finish.size(&found.image) != found.image.size());
            let mut by_rows = Vec::new();
            finish.strips(&found.image, &mut Scratch::default(), |strip| by_rows.extend_from_slice(strip));
            mirrored += usize::from(
                by_rows.chunks_exact(3).next() != found.image.as_f32().and_then(|x| x.chunks_exact(3).next()),
            );
            let mut done = found;
            finish.apply(&mut done.image, &mut Scratch::default());
            assert_eq!(done, expected, "pipeline {number}, position {position}");
            assert_eq!(Some(&by_rows[..]), expected.image.as_f32(), "pipeline {number}, position {position}, by rows");
        }
    }
    assert!(left > 200 && mirrored > 100, "{left} left something undone, {mirrored} other first pixels");
    assert_eq!(resized, 3 * 40, "images whose resizing waits, but for those that were done as too many steps waited");
}
