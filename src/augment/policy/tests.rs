use std::collections::BTreeMap;

use feedline_proto::{rule, v1};
use serde_json::{Value, json};

use super::chain::{Filter, Kernels, Name, Step};
use super::pillow::Pillow;
use super::tensor::Tensor;
use crate::augment::{Pipeline, Recorded, Scratch};
use crate::image::{Depth, Form, Image, Size};
use crate::sample::{BoundingBox, Keypoint, Mask, Sample};
use crate::seed::{Key, Purpose};

const SIZE: Size = Size::new(40, 30);

fn form(depth: Depth) -> Form {
    Form { smallest: SIZE, largest: SIZE, channels: 3, depth }
}

fn pipeline(op: &str) -> Pipeline {
    let op: v1::Op = toml::from_str(op).expect("an op");
    let message = rule::with_defaults(&v1::Pipeline { ops: vec![op], ..Default::default() });
    Pipeline::build(&message, form(Depth::U8)).expect("valid")
}

fn image() -> Image<'static> {
    Image::from_u8(SIZE, 3, (0..SIZE.area() * 3).map(|x| (x * 7 % 251) as u8).collect::<Vec<u8>>())
}

fn key(position: u64) -> Key {
    Key { seed: 3, epoch: 0, position, view: 0, op: 0, purpose: Purpose::Op }
}

/// What an op draws for many rows.
fn drawn(op: &str, count: u64) -> Vec<Value> {
    let (pipeline, mut scratch) = (pipeline(op), Scratch::default());
    let record = |position| {
        let (_, mut record) = pipeline.run_recorded(Sample::new(image(), 0), key(position), &mut scratch);
        record.remove(0).params
    };
    (0..count).map(record).collect()
}

fn steps(record: &Value) -> Vec<Step> {
    serde_json::from_value(record.clone()).expect("a chain")
}

/// Chi squared of counts that should be alike, and how many degrees of freedom it has.
fn alike(counts: impl IntoIterator<Item = u64>) -> (f64, f64) {
    let counts: Vec<f64> = counts.into_iter().map(|count| count as f64).collect();
    let mean = counts.iter().sum::<f64>() / counts.len() as f64;
    (counts.iter().map(|count| (count - mean).powi(2) / mean).sum(), counts.len() as f64 - 1.0)
}

#[test]
fn every_bin_and_either_direction_is_equally_likely() {
    let mut counts: BTreeMap<(String, String), u64> = BTreeMap::new();
    for record in drawn("trivial_augment_wide = { num_magnitude_bins = 5 }", 20_000) {
        let step = steps(&record)[0];
        *counts.entry((format!("{:?}", step.op), format!("{:.6}", step.magnitude))).or_default() += 1;
    }
    for (op, bins) in
        [("Rotate", 9), ("ShearY", 9), ("TranslateX", 9), ("Contrast", 9), ("Solarize", 5), ("Posterize", 5)]
    {
        let found: Vec<(&String, u64)> = counts
            .iter()
            .filter(|((name, _), _)| name == op)
            .map(|((_, magnitude), count)| (magnitude, *count))
            .collect();
        // A turn by 0 in either direction is one bin.
        let zero = |magnitude: &str| bins == 9 && magnitude.trim_start_matches('-') == "0.000000";
        let zeros: u64 = found.iter().filter(|(magnitude, _)| zero(magnitude)).map(|(_, count)| count).sum();
        let others = found.iter().filter(|(magnitude, _)| !zero(magnitude)).map(|(_, count)| *count);
        let halves = if zeros > 0 { vec![zeros.div_ceil(2), zeros / 2] } else { vec![] };
        let all: Vec<u64> = others.chain(halves).collect();
        assert_eq!(all.len(), if bins == 9 { 10 } else { bins }, "{op}: {found:?}");
        let (chi, freedom) = alike(all);
        assert!(chi < freedom + 4.0 * (2.0 * freedom).sqrt(), "{op}: {chi} of {freedom}: {found:?}");
    }
}

#[test]
fn rand_augment_has_one_magnitude_in_either_direction() {
    let (mut left, mut right) = (0, 0);
    for record in drawn("rand_augment = { num_ops = 1, magnitude = 30 }", 10_000) {
        let step = steps(&record)[0];
        match step.op {
            Name::Rotate if step.magnitude == 30.0 => left += 1,
            Name::Rotate if step.magnitude == -30.0 => right += 1,
            Name::Posterize => assert_eq!(step.magnitude, 4.0),
            Name::Solarize => assert_eq!(step.magnitude, 0.0),
            Name::Rotate => panic!("{step:?}"),
            _ => {}
        }
    }
    let (chi, _) = alike([left, right]);
    assert!(chi < 10.8 && left + right > 500, "{left} {right}");
}

#[test]
fn ops_of_a_learned_pair_are_applied_with_their_probability() {
    // Pair 16 is color with 0.8, and solarize with 0.8; pair 12 is equalize with 0, and equalize with 0.8.
    let (mut rows, mut applied) = ([0.0; 25], [0.0; 25]);
    for record in drawn("auto_augment = {}", 20_000) {
        let pair = record["pair"].as_u64().expect("a number") as usize;
        rows[pair] += 1.0;
        applied[pair] += steps(&record["chain"]).len() as f64;
    }
    for (pair, mean, variance) in [(16, 1.6, 0.32), (12, 0.8, 0.16), (13, 1.6, 0.24)] {
        let (found, deviation) = (applied[pair] / rows[pair], f64::sqrt(variance / rows[pair]));
        assert!((found - mean).abs() < 4.0 * deviation, "pair {pair}: {found}");
    }
}

#[test]
fn chains_of_aug_mix_have_one_to_three_ops_and_weights_that_add_up() {
    let mut depths = [0; 3];
    for record in drawn("aug_mix = {}", 3_000) {
        let numbers = |value: &Value| -> Vec<f64> { serde_json::from_value(value.clone()).expect("numbers") };
        let sum = numbers(&record["weights"]).iter().sum::<f64>() + record["original"].as_f64().expect("a number");
        assert!((sum - 1.0).abs() < 1e-12);
        for chain in record["chains"].as_array().expect("chains") {
            depths[steps(chain).len() - 1] += 1;
            // The least three of ten magnitudes.
            assert!(steps(chain).iter().all(|step| step.op != Name::Rotate || step.magnitude.abs() < 6.7));
        }
    }
    let (chi, _) = alike(depths);
    assert!(chi < 13.8, "{depths:?}");
}

fn kernels(tensor: bool) -> Kernels {
    match tensor {
        true => Kernels::Tensor(Tensor::new(0, &[0.0; 3], 0, form(Depth::U8)).expect("valid")),
        false => Kernels::Pillow(Pillow::new(&[0.0; 3], 0, form(Depth::U8)).expect("valid")),
    }
}

#[test]
fn marks_and_masks_move_with_the_pixels() {
    // One bright square on black, which is what the box, the mask and the keypoint mark.
    let inside = |index: u64| (16..21).contains(&(index % 40)) && (12..17).contains(&(index / 40));
    let classes: Vec<u8> = (0..SIZE.area()).map(|index| if inside(index) { 200 } else { 0 }).collect();
    let pixels: Vec<u8> = classes.iter().flat_map(|x| [*x; 3]).collect();
    let marked = Sample {
        boxes: vec![BoundingBox { x_min: 16.0, y_min: 12.0, x_max: 21.0, y_max: 17.0, label: 0 }],
        masks: vec![Mask { size: SIZE, classes }],
        keypoints: vec![Keypoint::new(18.0, 14.0)],
        ..Sample::new(Image::from_u8(SIZE, 3, pixels), 0)
    };
    let chain = |names: &[(Name, f64)]| names.iter().map(|(op, x)| Step::new(*op, *x)).collect::<Vec<_>>();
    for steps in [
        chain(&[(Name::ShearX, 0.3)]),
        chain(&[(Name::ShearY, -0.25), (Name::TranslateX, 5.0)]),
        chain(&[(Name::TranslateY, -6.0), (Name::Rotate, 25.0)]),
        chain(&[(Name::Rotate, 40.0), (Name::Rotate, -70.0), (Name::ShearX, -0.2)]),
    ] {
        for tensor in [true, false] {
            let (kernels, mut sample) = (kernels(tensor), marked.clone());
            kernels.annotate(&steps, &mut sample);
            let made = kernels.apply(&steps, sample.image.clone(), &mut Scratch::default());
            let at = format!("tensor {tensor}, {steps:?}");
            let values = made.as_u8().expect("8 bits").iter().step_by(3);
            let other =
                values.clone().zip(&sample.masks[0].classes).filter(|(x, class)| (**x > 100) != (**class > 100));
            // Pillow mixes pixels at the edge of the square.
            assert!(other.count() <= if tensor { 0 } else { 8 }, "{at}");
            let bright: Vec<u64> = (0..).zip(values).filter(|(_, x)| **x > 100).map(|(index, _)| index).collect();
            let count = bright.len() as f64;
            let mean = |f: &dyn Fn(u64) -> u64| bright.iter().map(|index| f(*index) as f64).sum::<f64>() / count;
            let (x, y) = (mean(&|index| index % 40), mean(&|index| index / 40));
            let point = sample.keypoints[0];
            assert!((point.x - x).abs() < 0.6 && (point.y - y).abs() < 0.6, "{at}: {x} {y}, {point:?}");
            let hull = sample.boxes[0];
            let within = |index: &u64| {
                let (x, y) = ((index % 40) as f64 + 0.5, (index / 40) as f64 + 0.5);
                x > hull.x_min - 1.0 && x < hull.x_max + 1.0 && y > hull.y_min - 1.0 && y < hull.y_max + 1.0
            };
            assert!(bright.iter().all(within), "{at}: {hull:?}");
        }
    }
}

#[test]
fn what_has_left_a_mask_does_not_come_back() {
    let steps = [Step::new(Name::TranslateX, 60.0), Step::new(Name::TranslateX, -60.0)];
    let mut sample = Sample::new(image(), 0);
    sample.masks = vec![Mask { size: SIZE, classes: vec![7; SIZE.area() as usize] }];
    kernels(true).annotate(&steps, &mut sample);
    assert!(sample.masks[0].classes.iter().all(|class| *class == 0));
    let made = kernels(true).apply(&steps, image(), &mut Scratch::default());
    assert!(made.as_u8().expect("8 bits").iter().all(|x| *x == 0));
}

#[test]
fn any_recorded_parameter_leaves_a_sound_image() {
    let mut scratch = Scratch::default();
    let names = "identity shear_x shear_y translate_x translate_y rotate brightness color contrast sharpness posterize solarize \
                 solarize_add auto_contrast equalize invert gaussian_blur";
    for name in names.split_whitespace() {
        for magnitude in [0.0, -0.0, 1e300, -1e300, 1e18, -1e18, 4096.0, -1.0, 0.5, 255.9, 1e-300] {
            let chain = json!([{ "op": name, "magnitude": magnitude }, { "op": name, "filter": "bicubic", "magnitude": magnitude }]);
            let mix = json!({ "original": magnitude, "weights": [magnitude, -magnitude, 1], "chains": [chain, [], chain, chain] });
            let timm = json!({ "chain": chain, "mix": { "blend": magnitude, "weights": [1, magnitude], "chains": [chain, chain] } });
            for (op, params) in [
                ("rand_augment = {}", &chain),
                ("rand_augment = { filter = \"bilinear\" }", &chain),
                ("trivial_augment_wide = {}", &chain),
                ("auto_augment = {}", &json!({ "pair": 99, "chain": chain })),
                ("aug_mix = {}", &mix),
                ("timm_augment = { policy = \"rand\" }", &timm),
                ("timm_augment = { policy = \"augmix-b1\" }", &timm),
            ] {
                let name = op.split(' ').next().expect("a name").to_owned();
                let record = [Recorded { number: 0, op: name, params: params.clone() }];
                let mut sample = Sample::new(image(), 0);
                sample.boxes.push(BoundingBox { x_min: 1.0, y_min: 2.0, x_max: 9.0, y_max: 8.0, label: 0 });
                sample.masks.push(Mask { size: SIZE, classes: vec![1; SIZE.area() as usize] });
                let made = pipeline(op).replay(sample, &record, &mut scratch).unwrap_or_else(|r| panic!("{op}: {r}"));
                assert_eq!((made.image.size(), made.masks[0].size), (SIZE, SIZE));
                assert!(made.boxes[0].corners().iter().all(|x| x.is_finite()), "{op} {params}");
            }
        }
    }
    let empty = Recorded { number: 0, op: "timm_augment".into(), params: json!({}) };
    let made = pipeline("timm_augment = { policy = \"rand\" }").replay(Sample::new(image(), 0), &[empty], &mut scratch);
    assert_eq!(made.expect("nothing to do").image, image());
}

#[test]
fn a_filter_is_named_as_the_contract_names_it() {
    let step = Step { op: Name::ShearX, magnitude: 0.5, filter: Some(Filter::Bicubic) };
    let text = json!({ "op": "shear_x", "magnitude": 0.5, "filter": "bicubic" });
    assert_eq!(serde_json::to_value(step).expect("JSON"), text);
}
