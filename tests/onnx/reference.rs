//! What ONNX Runtime made of small images with the models of `tests/data/onnx`, beside what the op makes of them.
//! `tests/golden/make_onnx.py` writes a case as `NAME.json`, `NAME-input.npy` and `NAME-expected.npy`.

#[path = "../golden/npy.rs"]
#[allow(dead_code)]
mod npy;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use feedline::augment::resources::{Model, Picture, Resources, Unavailable};
use feedline::augment::{Pipeline, Scratch};
use feedline::image::{Depth, Form, Image, Pixels, Size};
use feedline::sample::Sample;
use feedline::seed::{Key, Purpose};
use feedline_proto::{rule, v1};
use npy::{Array, Values};

pub(super) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/onnx")
}

/// Models of the tests, and the one of the examples.
struct Files;

impl Resources for Files {
    fn picture(&self, sample: u64) -> Result<Arc<Picture>, Unavailable> {
        Err(Unavailable::new(sample, "no picture"))
    }

    fn model(&self, name: &str) -> Result<Arc<Model>, Unavailable> {
        let (bundled, file) = feedline::demo::MODEL;
        let file = if name == bundled { file.to_vec() } else { std::fs::read(folder().join(name)).expect(name) };
        Ok(Arc::new(Model::new(name, super::blake3_of(&file), file)))
    }

    fn keep(&self, _: u64) -> Result<(), Unavailable> {
        Ok(())
    }
}

/// What is in `NAME.json`.
#[derive(serde::Deserialize)]
struct Case {
    producer: String,
    op: serde_json::Value,
    /// Largest difference, in levels of 8 bits or as floats are.
    tolerance: f64,
    /// Share of values that may differ at all; floats may by their tolerance.
    share: f64,
}

fn made(op: &serde_json::Value, input: &Array) -> Vec<f64> {
    let op: v1::Op = serde_json::from_value(serde_json::json!({ "onnx": op })).expect("an op");
    let [height, width, channels] = input.shape;
    let size = Size::new(width as u32, height as u32);
    let (depth, image) = match &input.values {
        Values::U8(values) => (Depth::U8, Image::from_u8(size, channels, values.clone())),
        Values::F32(values) => (Depth::F32 { full: Some(1.0) }, Image::from_f32(size, channels, values.clone())),
    };
    let pipeline = rule::with_defaults(&v1::Pipeline { ops: vec![op], ..Default::default() });
    let form = Form { smallest: size, largest: size, channels, depth };
    let pipeline = Pipeline::build_with(&pipeline, form, &Files).unwrap_or_else(|refusal| panic!("{refusal}"));
    let key = Key { seed: 1, epoch: 0, position: 0, view: 0, op: 0, purpose: Purpose::Op };
    match pipeline.run(Sample::new(image, 0), key, &mut Scratch::default()).image.into_pixels() {
        Pixels::U8(values) => values.iter().map(|x| f64::from(*x)).collect(),
        Pixels::F32(values) => values.iter().map(|x| f64::from(*x)).collect(),
    }
}

#[test]
fn images_are_what_onnx_runtime_makes_of_them() {
    let (mut checked, mut wrong) = ([0; 2], Vec::new());
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(folder()).expect("there").map(|file| file.expect("readable").path()).collect();
    paths.sort();
    for path in paths.iter().filter(|path| path.extension().is_some_and(|extension| extension == "json")) {
        let name = path.file_stem().and_then(|name| name.to_str()).expect("UTF-8");
        let case: Case = serde_json::from_str(&std::fs::read_to_string(path).expect("readable")).expect(name);
        assert!(case.producer.starts_with("onnxruntime "), "{name}: {}", case.producer);
        let array = |kind: &str| {
            npy::read(&folder().join(format!("{name}-{kind}.npy"))).unwrap_or_else(|error| panic!("{error}"))
        };
        let (input, expected) = (array("input"), array("expected"));
        assert_eq!((input.shape, input.values.dtype()), (expected.shape, expected.values.dtype()), "{name}");
        let (found, wanted) = (made(&case.op, &input), expected.values.as_f64());
        let apart: Vec<f64> = found.iter().zip(&wanted).map(|(a, b)| (a - b).abs()).collect();
        let most = apart.iter().copied().fold(0.0, f64::max);
        let share = apart.iter().filter(|apart| **apart > 0.0).count() as f64 / apart.len() as f64;
        let is_float = expected.values.dtype() == "float32";
        if most > case.tolerance || (!is_float && share > case.share) {
            wrong.push(format!(
                "{name}: {most} apart, expected at most {}; {share} of the values differ",
                case.tolerance
            ));
        }
        checked[usize::from(is_float)] += 1;
        // What is all black or all white would agree whatever the model does.
        let full = if is_float { 1.0 } else { 255.0 };
        assert!(wanted.iter().any(|x| *x > 0.0 && *x < full), "{name}");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(checked[0] >= 4 && checked[1] >= 4, "{checked:?} cases of 8 bits and of floats");
}
