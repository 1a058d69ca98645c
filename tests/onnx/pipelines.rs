//! Models inside groups and views, models that fail on an image, and models that are too large.

use super::*;
use feedline::engine::BatchError;

/// An engine with the models of `tests/data/onnx`.
fn engine() -> Engine {
    engine_with(Some(&reference::folder()))
}

fn ops(ops: impl IntoIterator<Item = Op>) -> Vec<v1::Op> {
    ops.into_iter().map(|op| v1::Op { op: Some(op) }).collect()
}

fn transfer() -> Op {
    Op::Onnx(onnx("transfer.onnx"))
}

fn mirrored() -> Op {
    Op::HorizontalFlip(v1::HorizontalFlip { p: Some(1.0) })
}

/// The images of the first batch as 8 bits, channels first.
fn images(engine: &Engine, ops: impl IntoIterator<Item = Op>) -> Vec<Vec<u8>> {
    payload(engine, &spec_with(ops), v1::Dtype::Uint8).chunks(3 * SIDE * SIDE).map(<[u8]>::to_vec).collect()
}

#[test]
fn groups_draw_whether_a_model_runs_and_pin_its_file() {
    let engine = engine();
    let (plain, styled) = (images(&engine, []), images(&engine, [transfer()]));
    let flipped = images(&engine, [mirrored()]);
    let one_of = Op::OneOf(v1::OneOf { ops: ops([transfer(), mirrored()]), ..Default::default() });
    let sometimes = Op::Sequence(v1::Sequence { ops: ops([transfer()]), p: Some(0.5) });
    for (group, other) in [(one_of, &flipped), (sometimes, &plain)] {
        let mut spec = spec_with([group]);
        let mut seen = [0; 2];
        // Rows of other seeds draw anew; order and photographs stay.
        for seed in 0..4 {
            spec.seed = seed;
            let batch = payload(&engine, &spec, v1::Dtype::Uint8);
            for (row, image) in batch.chunks(3 * SIDE * SIDE).enumerate() {
                assert!(image == styled[row] || image == other[row], "row {row} is neither");
                seen[usize::from(image == styled[row])] += 1;
            }
        }
        assert!(seen[0] > 1 && seen[1] > 1, "{seen:?} of 16 rows without and with the model");
        let described = engine.resolve(&spec, &rank(0, 1), &v1::Delivery::default()).expect("sound").describe();
        assert!(!described.bit_exact);
        let resolved = serde_json::to_string(&described.spec).expect("JSON");
        let digest = blake3_of(&std::fs::read(reference::folder().join("transfer.onnx")).expect("there"));
        assert!(resolved.contains(&digest), "{resolved}");
    }
}

#[test]
fn models_run_in_the_views_that_ask_for_them() {
    let engine = engine();
    let group = |name: &str, ops| v1::ViewGroup { name: name.into(), ops, ..Default::default() };
    let views = |op: Op| {
        let groups = vec![group("plain", Vec::new()), group("styled", ops([op]))];
        v1::LoaderSpec { views: Some(v1::Views { count: 0, groups }), ..spec_with([]) }
    };
    let mut delivery = v1::Delivery { count: Some(1), ..Default::default() };
    delivery.set_dtype(v1::Dtype::Uint8);
    delivery.set_layout(v1::Layout::Nchw);
    let batch = made(&engine, &views(transfer()), &rank(0, 1), &delivery).remove(0);
    for (name, expected) in [("image_plain", images(&engine, [])), ("image_styled", images(&engine, [transfer()]))] {
        let tensor = batch.tensors.iter().find(|tensor| tensor.name == name).expect(name);
        let bytes = &batch.payload()[tensor.offset as usize..][..tensor.bytes as usize];
        assert!(bytes == expected.concat(), "{name}");
    }
    let request = engine.resolve(&views(transfer()), &rank(0, 1), &delivery).expect("sound");
    assert!(!request.describe().bit_exact);
    let missing = engine.resolve(&views(Op::Onnx(onnx("other.onnx"))), &rank(0, 1), &delivery);
    let missing = missing.expect_err("refused").to_string();
    assert!(missing.contains("spec.views.groups[1].ops[0].onnx.model is \"other.onnx\""), "{missing}");
}

#[test]
fn a_model_of_one_channel_takes_gray_images_alone() {
    // There is no op that leaves one channel: models of one are for pipelines that are built of such images.
    let refused = refusal(&engine(), onnx("gray.onnx"));
    assert!(refused.contains("onnx.model is a model that takes") && refused.contains("[1, 3, 12, 12]"), "{refused}");
}

#[test]
fn a_model_that_fails_on_an_image_ends_the_stream_with_sample_and_op() {
    let engine = engine();
    let spec = spec_with([Op::Onnx(onnx("late.onnx"))]);
    let request = engine.resolve(&spec, &rank(0, 1), &from(0, 0, 24)).expect("it works on a gray image");
    let mut session = engine.open(request).expect("admitted");
    let failed = std::iter::from_fn(|| session.next_blocking()).find_map(Result::err);
    let Some(BatchError::Op { culprit, op, cause }) = failed else { panic!("{failed:?}") };
    assert_eq!((op, culprit.dataset.as_str(), culprit.split.as_str()), ("onnx", "photographs", "train"));
    assert!(culprit.key.ends_with(".jpg") && cause.starts_with("model late.onnx: "), "{culprit}, {cause}");
    let text = BatchError::Op { culprit: culprit.clone(), op, cause }.to_string();
    assert!(text.starts_with(&format!("{culprit} can't be augmented, op onnx failed: model late.onnx: ")), "{text}");
    // Nothing else ends with it.
    assert_eq!(images(&engine, []).len(), 4);
}

#[test]
fn models_that_make_or_take_too_much_are_refused_before_they_run() {
    let engine = engine();
    let larger = refusal(&engine, onnx("larger.onnx"));
    assert!(larger.contains("1,3,768,768") && larger.contains("[1, 3, 12, 12]"), "{larger}");
    let sized = |side: u32| {
        let resize = Op::Resize(v1::Resize { height: side, width: side, ..Default::default() });
        let spec = spec_of([resize, Op::Onnx(onnx("hungry.onnx"))], 4);
        engine.resolve(&spec, &rank(0, 1), &v1::Delivery::default()).map(|request| request.batch_bytes())
    };
    // What it takes is counted with its batches.
    let small = sized(8).expect("it fits");
    assert!(small > 3 * 800 * 800 * 4, "{small}");
    for side in [224, 16_384] {
        let refused = sized(side).expect_err("too much").to_string();
        assert!(refused.contains("onnx.model is a model that takes ") && refused.contains("268435456"), "{refused}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn describe_refuses_what_does_not_fit_with_both_shapes() {
    let folder = folder(&[
        ("sized.onnx", Convolution { input: [1, 3, 64, 64], ..convolution() }.file()),
        ("halves.onnx", Convolution { stride: 2, ..convolution() }.file()),
    ]);
    let server = Running::start(engine_with(Some(folder.path()))).await;
    let mut client = raw::raw(&server.address).await;
    for (name, shape) in [("sized.onnx", "1,3,64,64"), ("halves.onnx", "1,3,6,6")] {
        let spec = spec_with([Op::Onnx(onnx(name))]);
        let request = raw::describe(&raw::request(spec, rank(0, 1), v1::Delivery::default()));
        let status = client.describe(request).await.expect_err("refused");
        assert_eq!(status.code(), tonic::Code::InvalidArgument);
        let text = status.message();
        assert!(text.contains("onnx.model is a model that"), "{text}");
        assert!(text.contains(shape) && text.contains("[1, 3, 12, 12]"), "{text}");
    }
    server.stop().await;
}
