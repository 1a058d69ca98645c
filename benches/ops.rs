//! Time of each op on one RGB image of 8 bits, 224x224 unless its name says otherwise, at every level of vector instructions:
//! `cargo bench --bench ops`, with words to name the ops that are wanted. The examples of the catalogue come first, then variants.
//!
//! With `--json`, words are whole names, and each example is a line of JSON: the median at the best level and the parameters, for
//! `benches/versus.py`. `--photograph FILE` writes the image that all of this is measured on, as raw RGB.

use std::hint::black_box;
use std::time::{Duration, Instant};

use feedline::augment::{Pipeline, Scratch, catalogue, scaled_to_look_at};
use feedline::decode::{Decoder, Limits};
use feedline::demo;
use feedline::image::{Depth, Form, Image, Size};
use feedline::sample::Sample;
use feedline::seed::{Key, Purpose};
use feedline::simd::{self, Level};
use feedline_proto::rule;
use feedline_proto::v1;

/// Ops with other parameters than those of their examples, as configuration files spell them.
const VARIANTS: [(&str, &str); 38] = [
    (
        "jitter b c s",
        r#"{"color_jitter": {"brightness": [0.6, 1.4], "contrast": [0.6, 1.4], "saturation": [0.6, 1.4]}}"#,
    ),
    (
        "jitter b c s h",
        r#"{"color_jitter": {"brightness": [0.6, 1.4], "contrast": [0.6, 1.4], "saturation": [0.8, 1.2], "hue": [-0.1, 0.1]}}"#,
    ),
    (
        "jitter albumentations",
        r#"{"color_jitter": {"brightness": [0.6, 1.4], "contrast": [0.6, 1.4], "saturation": [0.8, 1.2], "hue": [-0.1, 0.1], "method": "albumentations"}}"#,
    ),
    (
        "jitter pillow",
        r#"{"color_jitter": {"brightness": [0.6, 1.4], "contrast": [0.6, 1.4], "saturation": [0.6, 1.4], "method": "pillow"}}"#,
    ),
    ("jitter pillow hue", r#"{"color_jitter": {"hue": [-0.1, 0.1], "method": "pillow"}}"#),
    ("brightness delta", r#"{"brightness": {"delta": [-0.2, 0.2]}}"#),
    ("contrast torchvision", r#"{"contrast": {"factor": [0.6, 1.4]}}"#),
    ("contrast tensorflow", r#"{"contrast": {"factor": [0.6, 1.4], "method": "tensorflow"}}"#),
    ("contrast pillow", r#"{"contrast": {"factor": [0.6, 1.4], "method": "pillow"}}"#),
    ("contrast zero", r#"{"contrast": {"factor": [0.6, 1.4], "method": "zero"}}"#),
    ("saturation torchvision", r#"{"saturation": {"factor": [0.6, 1.4]}}"#),
    ("saturation tensorflow", r#"{"saturation": {"factor": [0.6, 1.4], "method": "tensorflow"}}"#),
    ("saturation pillow", r#"{"saturation": {"factor": [0.6, 1.4], "method": "pillow"}}"#),
    ("hue torchvision", r#"{"hue": {"delta": [-0.1, 0.1]}}"#),
    ("hue tensorflow", r#"{"hue": {"delta": [-0.1, 0.1], "method": "tensorflow"}}"#),
    ("gray tensorflow", r#"{"grayscale": {"method": "tensorflow"}}"#),
    ("gray pillow", r#"{"grayscale": {"method": "pillow"}}"#),
    ("equalize opencv", r#"{"equalize": {"method": "opencv", "p": 1}}"#),
    ("autocontrast cdf", r#"{"auto_contrast": {"method": "albumentations", "p": 1}}"#),
    ("gamma albumentations", r#"{"gamma": {"method": "albumentations"}}"#),
    ("tone curves", r#"{"random_tone_curve": {"per_channel": true, "p": 1}}"#),
    ("gray opencv", r#"{"grayscale": {"method": "opencv"}}"#),
    ("gray from_lab", r#"{"grayscale": {"method": "from_lab"}}"#),
    ("gray max", r#"{"grayscale": {"method": "max"}}"#),
    ("gray pca", r#"{"grayscale": {"method": "pca"}}"#),
    ("median 3", r#"{"median_blur": {"kernel_size": [3, 3], "p": 1}}"#),
    ("median 5", r#"{"median_blur": {"kernel_size": [5, 5], "p": 1}}"#),
    ("median 7", r#"{"median_blur": {"kernel_size": [7, 7], "p": 1}}"#),
    ("median 15", r#"{"median_blur": {"kernel_size": [15, 15], "p": 1}}"#),
    ("jpeg 90", r#"{"jpeg": {"quality": [90, 90]}}"#),
    ("multiplicative pixels", r#"{"multiplicative_noise": {"elementwise": true, "p": 1}}"#),
    ("multiplicative values", r#"{"multiplicative_noise": {"elementwise": true, "per_channel": true, "p": 1}}"#),
    ("gauss noise shared", r#"{"gauss_noise": {"per_channel": false, "p": 1}}"#),
    ("coarse dropout random", r#"{"coarse_dropout": {"fill": "random", "p": 1}}"#),
    ("affine nearest", r#"{"affine": {"rotate": [-30, 30], "scale": [0.8, 1.2], "filter": "nearest", "p": 1}}"#),
    ("affine bicubic", r#"{"affine": {"rotate": [-30, 30], "scale": [0.8, 1.2], "filter": "bicubic", "p": 1}}"#),
    ("affine edge", r#"{"affine": {"rotate": [-30, 30], "scale": [0.8, 1.2], "border": "edge", "p": 1}}"#),
    ("affine torchvision", r#"{"affine": {"method": "torchvision", "rotate": [-30, 30], "p": 1}}"#),
];

/// Ops that change the size, with the size they begin from.
const RESIZINGS: [(&str, Size, &str); 7] = [
    // A window of 300x260, anywhere.
    (
        "crop 300x260 to 224",
        Size::new(500, 375),
        r#"{"random_resized_crop": {"height": 224, "width": 224, "scale": [0.416, 0.416], "ratio": [1.1538, 1.1538]}}"#,
    ),
    ("crop of 500x375 to 224", Size::new(500, 375), r#"{"random_resized_crop": {"height": 224, "width": 224}}"#),
    ("500x375 to 224", Size::new(500, 375), r#"{"resize": {"height": 224, "width": 224}}"#),
    ("500x375 bicubic", Size::new(500, 375), r#"{"resize": {"height": 224, "width": 224, "filter": "bicubic"}}"#),
    ("500x375 lanczos3", Size::new(500, 375), r#"{"resize": {"height": 224, "width": 224, "filter": "lanczos3"}}"#),
    ("500x375 box", Size::new(500, 375), r#"{"resize": {"height": 224, "width": 224, "filter": "box"}}"#),
    ("96x96 to 224", Size::new(96, 96), r#"{"resize": {"height": 224, "width": 224}}"#),
];

/// What one figure is measured for, at least.
const MEASURED: Duration = Duration::from_millis(200);
/// Images that it is measured on, at least and at most.
const IMAGES: std::ops::Range<u64> = 60..4000;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if let Some(at) = words.iter().position(|word| word == "--photograph") {
        let path = words.get(at + 1).expect("a file after --photograph");
        let image = photograph(Size::new(224, 224));
        return std::fs::write(path, image).expect("writable");
    }
    let wanted: Vec<&str> = words.iter().map(String::as_str).filter(|word| !word.starts_with('-')).collect();
    if words.iter().any(|word| word == "--json") { as_json(&wanted) } else { as_table(&wanted) }
}

fn as_table(wanted: &[&str]) {
    let heads = Level::available().map(|level| format!("{:>12}", format!("{level:?}")));
    println!("{:<24}{}", "ns per image", heads.collect::<String>());
    let square = Size::new(224, 224);
    let examples = catalogue::names().map(|name| (name, square, example(name)));
    let variants = VARIANTS.into_iter().map(|(name, op)| (name, square, op)).chain(RESIZINGS);
    for (name, size, ops) in examples.chain(variants.map(|(name, size, op)| (name, size, vec![parsed(op)]))) {
        if wanted.is_empty() || wanted.iter().any(|word| name.contains(word)) {
            let times = Level::available().map(|level| format!("{:>12}", nanoseconds(&ops, size, level)));
            println!("{name:<24}{}", times.collect::<String>());
        }
    }
}

fn as_json(wanted: &[&str]) {
    for name in catalogue::names().filter(|name| wanted.is_empty() || wanted.contains(name)) {
        let ops = example(name);
        let message = rule::with_defaults(&v1::Pipeline { ops: ops.clone(), ..Default::default() });
        let parameters = serde_json::to_value(message.ops.last()).expect("JSON")[name].take();
        let ns = nanoseconds(&ops, Size::new(224, 224), Level::detected());
        let level = format!("{:?}", Level::detected());
        println!("{}", serde_json::json!({ "op": name, "level": level, "ns": ns, "parameters": parameters }));
    }
}

/// The example of an op, always applied.
fn example(name: &str) -> Vec<v1::Op> {
    let mut ops = catalogue::pipeline(name).expect("every op has an example").ops;
    let last = ops.last_mut().expect("the op itself");
    let mut value = serde_json::to_value(&*last).expect("JSON");
    value[name]["p"] = 1.into();
    // An op without a probability refuses the field.
    if let Ok(always) = serde_json::from_value(value) {
        *last = always;
    }
    ops
}

fn parsed(op: &str) -> v1::Op {
    serde_json::from_str(op).expect("an op as this file spells it")
}

/// The median over many images with their own draws, each begun from the same photograph.
fn nanoseconds(ops: &[v1::Op], size: Size, level: Level) -> u64 {
    simd::limit(level);
    let (last, before) = ops.split_last().expect("an op");
    let mut original = Image::from_u8(size, 3, photograph(size));
    let mut scratch = Scratch::default();
    let mut form = Form { smallest: size, largest: size, channels: 3, depth: Depth::U8 };
    if !before.is_empty() {
        // What makes floats for the op, and is not measured.
        let first = built(before, form);
        form = first.output();
        original = first.run(Sample::new(original, 0), key(0), &mut scratch).image;
    }
    let pipeline = built(std::slice::from_ref(last), form);
    let mut times: Vec<u64> = Vec::new();
    let start = Instant::now();
    while (times.len() as u64) < IMAGES.start || ((times.len() as u64) < IMAGES.end && start.elapsed() < MEASURED) {
        let sample = Sample::new(original.clone(), 0);
        let key = key(times.len() as u64);
        let start = Instant::now();
        let sample = black_box(pipeline.run(black_box(sample), key, &mut scratch));
        times.push(start.elapsed().as_nanos() as u64);
        scratch.recycle(sample.image);
    }
    times.sort_unstable();
    times[times.len() / 2]
}

fn built(ops: &[v1::Op], form: Form) -> Pipeline {
    let build = |ops: Vec<v1::Op>| {
        let message = rule::with_defaults(&v1::Pipeline { ops, ..Default::default() });
        Pipeline::build(&message, form).expect("a valid pipeline")
    };
    let pipeline = build(ops.to_vec());
    if pipeline.tail().is_none() {
        return pipeline;
    }
    // With an op after it that does nothing, it is done at once.
    let nothing = v1::op::Op::HorizontalFlip(v1::HorizontalFlip { p: Some(0.0) });
    build(ops.iter().cloned().chain([v1::Op { op: Some(nothing) }]).collect())
}

fn key(position: u64) -> Key {
    Key { seed: 1, epoch: 0, position, view: 0, op: 0, purpose: Purpose::Op }
}

/// A photograph at that size.
fn photograph(size: Size) -> Vec<u8> {
    let (_, jpeg) = demo::photographs().find(|(name, _)| *name == "astronaut/00.jpg").expect("bundled");
    let decoded = Decoder::new(Limits::default()).decode(jpeg).expect("sound");
    let image = Image::from_u8(decoded.size, 3, decoded.pixels);
    let scaled = scaled_to_look_at(image, size, &mut Scratch::default());
    scaled.as_u8().expect("8 bits stay 8 bits").to_vec()
}
