//! Time of each op on one RGB image of 8 bits, 224x224 unless its name says otherwise, at every level of vector instructions: `cargo bench --bench ops`, with
//! words to name the ops that are wanted.

use std::hint::black_box;
use std::time::Instant;

use feedline::augment::simd::{self, Level};
use feedline::augment::{Pipeline, Scratch};
use feedline::image::{Depth, Form, Image, Size};
use feedline::sample::Sample;
use feedline::seed::{Key, Purpose};
use feedline_proto::rule;
use feedline_proto::v1;

/// The ops, as configuration files spell them.
const OPS: [(&str, &str); 33] = [
    (
        "jitter b c s",
        r#"{"color_jitter": {"brightness": [0.6, 1.4], "contrast": [0.6, 1.4], "saturation": [0.6, 1.4]}}"#,
    ),
    (
        "jitter b c s h",
        r#"{"color_jitter": {"brightness": [0.6, 1.4], "contrast": [0.6, 1.4], "saturation": [0.8, 1.2], "hue": [-0.1, 0.1]}}"#,
    ),
    ("brightness factor", r#"{"brightness": {"factor": [0.6, 1.4]}}"#),
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
    ("gray torchvision", r#"{"grayscale": {}}"#),
    ("gray tensorflow", r#"{"grayscale": {"method": "tensorflow"}}"#),
    ("gray pillow", r#"{"grayscale": {"method": "pillow"}}"#),
    ("flip", r#"{"horizontal_flip": {"p": 1}}"#),
    ("transpose", r#"{"transpose": {"p": 1}}"#),
    ("d4", r#"{"d4": {}}"#),
    ("pad reflect 16", r#"{"pad": {"padding": [16], "border": "reflect"}}"#),
    ("longest_max_size 160", r#"{"longest_max_size": {"max_size": [160], "antialias": false}}"#),
    ("letterbox 160x224", r#"{"letterbox": {"height": 160, "width": 224, "antialias": false}}"#),
    ("affine nearest", r#"{"affine": {"rotate": [-30, 30], "scale": [0.8, 1.2], "filter": "nearest", "p": 1}}"#),
    ("affine bilinear", r#"{"affine": {"rotate": [-30, 30], "scale": [0.8, 1.2], "p": 1}}"#),
    ("affine bicubic", r#"{"affine": {"rotate": [-30, 30], "scale": [0.8, 1.2], "filter": "bicubic", "p": 1}}"#),
    ("affine edge", r#"{"affine": {"rotate": [-30, 30], "scale": [0.8, 1.2], "border": "edge", "p": 1}}"#),
    ("affine torchvision nearest", r#"{"affine": {"method": "torchvision", "rotate": [-30, 30], "p": 1}}"#),
    (
        "affine torchvision bilinear",
        r#"{"affine": {"method": "torchvision", "rotate": [-30, 30], "filter": "bilinear", "p": 1}}"#,
    ),
    ("rotate", r#"{"rotate": {"degrees": [-45, 45], "p": 1}}"#),
    ("perspective", r#"{"perspective": {"p": 1}}"#),
    ("elastic", r#"{"elastic": {"p": 1}}"#),
    ("grid_distortion", r#"{"grid_distortion": {"p": 1}}"#),
    ("optical_distortion", r#"{"optical_distortion": {"p": 1}}"#),
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

fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let heads = Level::available().map(|level| format!("{:>12}", format!("{level:?}")));
    println!("{:<24}{}", "ns per image", heads.collect::<String>());
    let square = Size::new(224, 224);
    for (name, size, op) in OPS.into_iter().map(|(name, op)| (name, square, op)).chain(RESIZINGS) {
        if wanted.is_empty() || wanted.iter().any(|word| name.contains(word)) {
            let times = Level::available().map(|level| format!("{:>12}", nanoseconds(op, size, level)));
            println!("{name:<24}{}", times.collect::<String>());
        }
    }
}

/// The least disturbed of several runs over many images with their own draws, each begun from the same noisy gradient.
fn nanoseconds(op: &str, size: Size, level: Level) -> u64 {
    simd::limit(level);
    let op: v1::Op = serde_json::from_str(op).expect("an op as this file spells it");
    let message = rule::with_defaults(&v1::Pipeline { ops: vec![op], ..Default::default() });
    let form = Form { smallest: size, largest: size, channels: 3, depth: Depth::U8 };
    let pipeline = Pipeline::build(&message, form).expect("a valid pipeline");
    let mut noise = Key { seed: 0, epoch: 0, position: 0, view: 0, op: 0, purpose: Purpose::Order }.rng();
    let original: Vec<u8> =
        (0..size.area() * 3).map(|i| ((i / 900) as u8).wrapping_add(noise.below(64) as u8)).collect();
    let mut scratch = Scratch::default();
    let mut buffer = original.clone();
    let runs = (0..25).map(|run| {
        let mut spent = 0;
        for position in 0..40 {
            buffer.clear();
            buffer.extend_from_slice(&original);
            let key = Key { seed: 1, epoch: run, position, view: 0, op: 0, purpose: Purpose::Op };
            let sample = Sample::new(Image::from_u8(size, 3, std::mem::take(&mut buffer)), 0);
            let start = Instant::now();
            let sample = black_box(pipeline.run(black_box(sample), key, &mut scratch));
            spent += start.elapsed().as_nanos() as u64;
            buffer = sample.image.as_u8().map(<[u8]>::to_vec).unwrap_or_default();
        }
        spent / 40
    });
    runs.min().unwrap_or_default()
}
