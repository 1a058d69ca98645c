//! Promise: a server runs the models of its folder on images as they say, on no others, and says beforehand what does not fit. With
//! `--features onnx`.

mod common;

#[path = "onnx/file.rs"]
mod file;

#[path = "common/process.rs"]
mod process;

#[path = "common/raw.rs"]
mod raw;

#[path = "onnx/commands.rs"]
mod commands;

#[path = "onnx/pipelines.rs"]
mod pipelines;

#[path = "onnx/reference.rs"]
mod reference;

use std::path::Path;

use common::*;
use feedline::engine::{Engine, Options};
use feedline::store::Mode;
use feedline_proto::v1::{self, op::Op};
use file::Convolution;

const SIDE: usize = 12;

fn convolution() -> Convolution {
    let weights = (0..81).map(|x| ((x * 37 % 29) as f32 - 12.0) / 60.0).collect();
    Convolution { weights, bias: vec![0.1, -0.05, 0.2], then: "Relu", input: [0, 3, 0, 0], input_type: 1, stride: 1 }
}

fn engine_with(models: Option<&Path>) -> Engine {
    let options = Options { threads: 2, batch_budget: 1 << 30, models: models.map(Into::into), ..Options::default() };
    Engine::new(vec![loaded(photographs(), Mode::Encoded)], Default::default(), options).expect("threads")
}

fn folder(files: &[(&str, Vec<u8>)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, bytes) in files {
        std::fs::write(folder.path().join(name), bytes).expect("written");
    }
    folder
}

fn resize() -> Op {
    Op::Resize(v1::Resize { height: SIDE as u32, width: SIDE as u32, ..Default::default() })
}

fn onnx(model: &str) -> v1::Onnx {
    v1::Onnx { model: model.into(), ..Default::default() }
}

fn spec_with(ops: impl IntoIterator<Item = Op>) -> v1::LoaderSpec {
    let mut spec = spec_of([resize()].into_iter().chain(ops), 4);
    spec.set_order(v1::Order::Sequential);
    spec
}

fn payload(engine: &Engine, spec: &v1::LoaderSpec, dtype: v1::Dtype) -> Vec<u8> {
    let mut delivery = v1::Delivery { count: Some(1), ..Default::default() };
    delivery.set_dtype(dtype);
    delivery.set_layout(v1::Layout::Nchw);
    made(engine, spec, &rank(0, 1), &delivery)[0].payload()[..4 * 3 * SIDE * SIDE * bytes(dtype)].to_vec()
}

fn bytes(dtype: v1::Dtype) -> usize {
    if dtype == v1::Dtype::Uint8 { 1 } else { 4 }
}

fn refusal(engine: &Engine, op: v1::Onnx) -> String {
    let refused = engine.resolve(&spec_with([Op::Onnx(op)]), &rank(0, 1), &v1::Delivery::default()).err();
    refused.expect("to be refused").to_string()
}

#[test]
fn images_are_what_the_model_makes_of_them() {
    let model = convolution();
    let folder = folder(&[("small.onnx", model.file())]);
    let engine = engine_with(Some(folder.path()));
    let before = payload(&engine, &spec_with([]), v1::Dtype::Uint8);
    let after = payload(&engine, &spec_with([Op::Onnx(onnx("small.onnx"))]), v1::Dtype::Uint8);
    let scaled = v1::Onnx { scale: Some(255.0), mean: vec![10.0, 20.0, 30.0], std: vec![2.0], ..onnx("small.onnx") };
    let after_scaled = payload(&engine, &spec_with([Op::Onnx(scaled)]), v1::Dtype::Uint8);
    let floats = spec_with([Op::ToFloat(v1::ToFloat::default()), Op::Onnx(onnx("small.onnx"))]);
    let floats = payload(&engine, &floats, v1::Dtype::Fp32);
    let area = SIDE * SIDE;
    for row in 0..4 {
        let image = &before[row * 3 * area..][..3 * area];
        let expected = |to: &dyn Fn(usize, f64) -> f64, from: &dyn Fn(usize, f64) -> f64| -> Vec<f64> {
            let values: Vec<f64> = image.iter().enumerate().map(|(at, x)| to(at / area, f64::from(*x))).collect();
            let made = model.applied(&values, SIDE, SIDE);
            made.iter().enumerate().map(|(at, y)| from(at / area, *y).clamp(0.0, 255.0)).collect()
        };
        let near =
            |found: f64, expected: f64, most: f64| assert!((found - expected).abs() <= most, "{found}, not {expected}");
        let plain = expected(&|_, x| x / 255.0, &|_, y| y * 255.0);
        assert!(plain.iter().any(|x| *x > 1.0 && *x < 254.0));
        let mean = [10.0, 20.0, 30.0];
        let with_mean = expected(&|c, x| (x - mean[c]) / 2.0, &|c, y| y * 2.0 + mean[c]);
        for at in 0..3 * area {
            near(f64::from(after[row * 3 * area + at]), plain[at], 0.501);
            near(f64::from(after_scaled[row * 3 * area + at]), with_mean[at], 0.501);
            let float = f32::from_le_bytes(floats[(row * 3 * area + at) * 4..][..4].try_into().expect("four bytes"));
            near(f64::from(float), plain[at] / 255.0, 1e-5);
        }
    }
}

#[test]
fn the_resolved_spec_says_which_file_it_was() {
    let file = convolution().file();
    let digest = blake3_of(&file);
    let folder = folder(&[("small.onnx", file)]);
    let engine = engine_with(Some(folder.path()));
    let describe = |op: v1::Onnx| {
        let spec = spec_with([Op::Onnx(op)]);
        engine.resolve(&spec, &rank(0, 1), &v1::Delivery::default()).expect("sound").describe()
    };
    let described = describe(onnx("small.onnx"));
    assert!(!described.bit_exact);
    let resolved = described.spec.expect("the spec").pipeline.expect("a pipeline");
    let Some(Op::Onnx(op)) = &resolved.ops[1].op else { unreachable!("as it was sent") };
    assert_eq!((&*op.model, &*op.digest), ("small.onnx", &*digest));
    let insisted = describe(v1::Onnx { digest: digest.clone(), ..onnx("small.onnx") });
    assert_eq!(insisted.spec_fingerprint, described.spec_fingerprint);
    let refused = refusal(&engine, v1::Onnx { digest: "0".repeat(64), ..onnx("small.onnx") });
    assert!(refused.contains("pipeline.ops[1].onnx.digest is \"000") && refused.contains(&digest), "{refused}");
    let plain = engine.resolve(&spec_with([]), &rank(0, 1), &v1::Delivery::default()).expect("sound").describe();
    assert!(plain.bit_exact);
}

#[test]
fn what_does_not_fit_is_refused_with_both_shapes() {
    let with = |change: fn(&mut Convolution)| {
        let mut model = convolution();
        change(&mut model);
        model.file()
    };
    let folder = folder(&[
        ("sized.onnx", with(|model| model.input = [1, 3, 64, 64])),
        ("nhwc.onnx", with(|model| model.input = [0, 12, 12, 3])),
        ("halves.onnx", with(|model| model.stride = 2)),
        ("bytes.onnx", with(|model| model.input_type = 2)),
        ("text.onnx", b"this is no model".to_vec()),
        ("empty.onnx", Vec::new()),
        ("cut.onnx", convolution().file()[..200].to_vec()),
        ("small.onnx", convolution().file()),
    ]);
    let engine = engine_with(Some(folder.path()));
    let sized = refusal(&engine, onnx("sized.onnx"));
    assert!(
        sized.contains("onnx.model is a model that takes")
            && sized.contains("64,64")
            && sized.contains("[1, 3, 12, 12]"),
        "{sized}"
    );
    let halves = refusal(&engine, onnx("halves.onnx"));
    assert!(halves.contains("1,3,6,6") && halves.contains("[1, 3, 12, 12]"), "{halves}");
    for name in ["bytes.onnx", "text.onnx", "empty.onnx", "cut.onnx"] {
        assert!(refusal(&engine, onnx(name)).contains("pipeline.ops[1].onnx.model is a model that"), "{name}");
    }
    assert!(refusal(&engine, onnx("other.onnx")).contains("expected a model of the server: bytes.onnx, cut.onnx"));
    assert!(refusal(&engine, onnx("../small.onnx")).contains("no folder"));
    let refused = refusal(&engine, v1::Onnx { mean: vec![0.1, 0.2], ..onnx("small.onnx") });
    assert!(refused.contains("onnx.mean is 2 numbers, expected 1, or 3"), "{refused}");
    let nhwc = refusal(&engine, onnx("nhwc.onnx"));
    assert!(nhwc.contains("onnx.model is a model that takes") && nhwc.contains("[1, 3, 12, 12]"), "{nhwc}");
    assert!(
        refusal(&engine_with(None), onnx("small.onnx")).contains("expected a server with a folder of models: --models")
    );
    let varying = engine.resolve(&spec_of([Op::Onnx(onnx("small.onnx"))], 1), &rank(0, 1), &v1::Delivery::default());
    assert!(varying.expect_err("refused").to_string().contains("images of one size"));
}

#[test]
fn what_is_no_number_becomes_black() {
    let weights = (0..81).map(|x| ((x * 37 % 29) as f32 - 14.0) / 20.0).collect();
    // The root of what is negative is no number; the gray image that a model is tried on may have some too.
    let model = Convolution { weights, then: "Sqrt", ..convolution() };
    let folder = folder(&[("root.onnx", model.file())]);
    let engine = engine_with(Some(folder.path()));
    let before = payload(&engine, &spec_with([]), v1::Dtype::Uint8);
    let after = payload(&engine, &spec_with([Op::Onnx(onnx("root.onnx"))]), v1::Dtype::Uint8);
    let area = SIDE * SIDE;
    let values: Vec<f64> = before[..3 * area].iter().map(|x| f64::from(*x) / 255.0).collect();
    let made = model.applied(&values, SIDE, SIDE);
    assert!(made.iter().any(|x| x.is_nan()) && made.iter().any(|x| *x > 0.1));
    for (made, found) in made.iter().zip(&after) {
        // Around zero the root is steep, and a rounding error of the sum is seen.
        let expected = if made.is_nan() { 0.0 } else { (made * 255.0).min(255.0) };
        assert!((f64::from(*found) - expected).abs() <= 0.6, "{found}, not {expected}");
    }
}

#[test]
fn batches_do_not_depend_on_the_number_of_threads() {
    let folder = folder(&[("small.onnx", convolution().file())]);
    let hashes = |threads| {
        let models = Some(folder.path().into());
        let options = Options { threads, batch_budget: 1 << 30, models, ..Options::default() };
        let engine = Engine::new(vec![loaded(photographs(), Mode::Encoded)], Default::default(), options);
        made_hashes(&engine.expect("threads"), &spec_with([Op::Onnx(onnx("small.onnx"))]), &from(0, 0, 8))
    };
    assert_eq!(hashes(1), hashes(8));
}

fn blake3_of(file: &[u8]) -> String {
    blake3::hash(file).to_hex().to_string()
}
