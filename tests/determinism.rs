//! Promise: a batch is a pure function of dataset, spec, epoch and step. Threads, neighbours, store and prefetch change no byte.

mod common;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier};

use common::*;
use feedline::engine::Engine;
use feedline::store::{self, LoadOptions, Mode};
use feedline_proto::v1::{self, op::Op};

/// Specs that use whatever could depend on the order of work: probabilities, groups, floats, partners.
fn specs() -> Vec<(&'static str, v1::LoaderSpec)> {
    let per_batch = v1::MixUp { per: v1::DrawPer::Batch.into(), ..Default::default() };
    vec![
        ("plain", small_spec(20)),
        ("cutmix", mixed(small_spec(20), cutmix())),
        ("mixup", mixed(small_spec(20), mixup())),
        ("mixup per batch", mixed(small_spec(20), v1::mixing::Kind::Mixup(per_batch))),
        ("groups", groups()),
        ("floats", mixed(floats(), cutmix())),
    ]
}

/// Groups in groups, each with a probability.
fn groups() -> v1::LoaderSpec {
    let ops = |ops: Vec<Op>| ops.into_iter().map(|op| v1::Op { op: Some(op) }).collect::<Vec<_>>();
    let turns = Op::Rot90(v1::Rot90 { turns: vec![1, 2, 3], p: Some(0.5) });
    let flips = vec![Op::VerticalFlip(v1::VerticalFlip::default()), Op::HorizontalFlip(v1::HorizontalFlip::default())];
    let flips = Op::Sequence(v1::Sequence { ops: ops(flips), p: Some(0.7) });
    let brightness = Op::Brightness(v1::Brightness { factor: vec![0.5, 1.5], p: Some(0.8), ..Default::default() });
    let contrast = Op::Contrast(v1::Contrast { factor: vec![0.5, 1.5], ..Default::default() });
    let saturation = Op::Saturation(v1::Saturation { factor: vec![0.0, 2.0], ..Default::default() });
    let gray = Op::Grayscale(v1::Grayscale { p: Some(0.5), ..Default::default() });
    let hue = Op::Hue(v1::Hue { delta: vec![-0.1, 0.1], ..Default::default() });
    let pipeline = [
        Op::RandomResizedCrop(v1::RandomResizedCrop { height: 32, width: 32, ..Default::default() }),
        Op::OneOf(v1::OneOf { ops: ops(vec![turns, flips]), weights: vec![1.0, 2.0], p: Some(0.9) }),
        Op::RandomOrder(v1::RandomOrder { ops: ops(vec![brightness, contrast, saturation]), p: None, count: 0 }),
        Op::SomeOf(v1::SomeOf { ops: ops(vec![gray, hue]), count: 1, p: Some(0.5), replace: false }),
    ];
    spec_of(pipeline, 20)
}

/// Work in 32-bit floats, whose sums could depend on who adds first.
fn floats() -> v1::LoaderSpec {
    let output = v1::Output::Float.into();
    let method = v1::ContrastMethod::Tensorflow.into();
    let pipeline = [
        Op::Resize(v1::Resize { height: 40, width: 40, antialias: Some(false), output, ..Default::default() }),
        Op::RandomCrop(v1::RandomCrop { height: 32, width: 32, ..Default::default() }),
        Op::ToFloat(v1::ToFloat::default()),
        Op::Brightness(v1::Brightness { delta: vec![-0.2, 0.2], p: Some(0.5), ..Default::default() }),
        Op::Contrast(v1::Contrast { factor: vec![0.5, 1.5], method, p: Some(0.5) }),
        Op::Clip(v1::Clip::default()),
        Op::Normalize(v1::Normalize::default()),
    ];
    spec_of(pipeline, 20)
}

/// The five steps of an epoch, the last of 16 rows.
fn epoch(epoch: u32) -> v1::Delivery {
    from(epoch, 0, 5)
}

#[test]
fn hashes_are_equal_for_1_and_2_and_8_threads() {
    let engines = [1, 2, 8].map(photographs_engine);
    let mut all = Vec::new();
    for (name, spec) in specs() {
        let [one, two, eight] = engines.each_ref().map(|engine| made_hashes(engine, &spec, &epoch(1)));
        assert_eq!(one.len(), 5);
        assert_eq!(one, two, "{name}");
        assert_eq!(one, eight, "{name}");
        all.extend(one);
    }
    let steps = all.len();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), steps, "every step of every spec is another batch");
}

#[test]
fn hashes_of_the_training_preset_are_equal_for_1_and_2_and_8_threads() {
    let spec = mixed(spec("imagenet-train", 8), cutmix());
    let [one, two, eight] = [1, 2, 8].map(|threads| made_hashes(&photographs_engine(threads), &spec, &from(0, 11, 2)));
    assert_eq!(one, two);
    assert_eq!(one, eight);
}

/// Tells threads to end, also when a test fails between.
struct Stop(Arc<AtomicBool>);

impl Drop for Stop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

#[test]
fn hashes_are_equal_alone_and_beside_other_clients() {
    let alone: Vec<_> = specs()
        .into_iter()
        .map(|(name, spec)| {
            let hashes = made_hashes(&photographs_engine(2), &spec, &epoch(0));
            (name, spec, hashes)
        })
        .collect();
    let engine = photographs_engine(4);
    let other_seed = v1::LoaderSpec { seed: 8, ..small_spec(20) };
    // The last one wants the same batches as the first measured one, from another step on and two at a time.
    let others = [
        (other_seed, v1::Delivery::default()),
        (mixed(floats(), mixup()), v1::Delivery::default()),
        (groups(), v1::Delivery { stride: Some(3), ..Default::default() }),
        (small_spec(20), v1::Delivery { stride: Some(2), ..from(0, 2, 1 << 40) }),
    ];
    let stopped = Arc::new(AtomicBool::new(false));
    let started = Barrier::new(others.len() + 1);
    std::thread::scope(|scope| {
        let _stop = Stop(Arc::clone(&stopped));
        for (spec, delivery) in &others {
            let request = engine.resolve(spec, &rank(0, 1), delivery).expect("a sound request");
            let mut session = engine.open(request).expect("admitted");
            let (started, stopped) = (&started, Arc::clone(&stopped));
            scope.spawn(move || {
                let first = session.next_blocking();
                started.wait();
                assert!(matches!(first, Some(Ok(_))));
                while !stopped.load(Ordering::Acquire) {
                    assert!(matches!(session.next_blocking(), Some(Ok(_))));
                }
            });
        }
        started.wait();
        for (name, spec, hashes) in &alone {
            assert_eq!(made_hashes(&engine, spec, &epoch(0)), *hashes, "{name}");
        }
        assert_eq!(engine.statistics().sessions, others.len() as u64, "the others were there all the time");
    });
}

/// An engine whose store keeps about 40 of the 96 photographs decoded.
fn half_decoded() -> Engine {
    let memory = loaded(photographs(), Mode::Auto).memory();
    let budget = memory.encoded + memory.index + 40 * memory.decoded_budget / 96;
    let options = LoadOptions { mode: Mode::Auto, budget, max_pixels: 89_478_485, threads: 2 };
    engine(store::load(vec![photographs()], &options, &|_| {}).expect("it fits encoded").remove(0), 2)
}

#[test]
fn hashes_are_equal_whether_the_store_keeps_encoded_or_decoded_images() {
    let encoded = photographs_engine(2);
    let decoded = engine(loaded(photographs(), Mode::Decoded), 2);
    decoded.fill(&|_| {});
    let (auto, half) = (engine(loaded(photographs(), Mode::Auto), 2), half_decoded());
    for (name, spec) in specs() {
        // In the second epoch, the modes that keep images have them.
        let expected = made_hashes(&encoded, &spec, &from(0, 0, 10));
        for (mode, engine) in [("decoded", &decoded), ("auto", &auto), ("auto, half", &half)] {
            assert_eq!(made_hashes(engine, &spec, &from(0, 0, 10)), expected, "{name}, {mode}");
        }
    }
    assert_eq!(encoded.statistics().decoded_hits, 0);
    assert_eq!(decoded.statistics().decodes, 96, "what was decoded beforehand is decoded once");
    let (hits, decodes) = (half.statistics().decoded_hits, half.statistics().decodes);
    assert!(hits > 0 && decodes > 96, "{hits} hits and {decodes} decodes: some images fit and some did not");
}

#[test]
fn hashes_of_images_decoded_at_a_fraction_of_their_size_are_equal_whatever_is_kept_and_for_every_number_of_threads() {
    let scaled =
        |spec| v1::LoaderSpec { decode: Some(v1::DecodeOptions { scaled: true, ..Default::default() }), ..spec };
    let resize = v1::Resize { height: 40, width: 30, antialias: Some(false), ..Default::default() };
    let resized = spec_of([Op::Resize(resize)], 20);
    let engine_of = |mode| engine(loaded(photographs(), mode), 1);
    let (one, two, kept, half) =
        (photographs_engine(1), photographs_engine(2), engine_of(Mode::Decoded), half_decoded());
    kept.fill(&|_| {});
    for (name, spec) in [("a random crop", small_spec(20)), ("a resize", resized)] {
        let whole = made_hashes(&one, &spec, &from(0, 0, 10));
        let spec = scaled(spec);
        let expected = made_hashes(&one, &spec, &from(0, 0, 10));
        assert_ne!(expected, whole, "{name}: the images are reduced");
        for (what, engine) in [("again", &one), ("two threads", &two), ("all kept", &kept), ("some kept", &half)] {
            assert_eq!(made_hashes(engine, &spec, &from(0, 0, 10)), expected, "{name}, {what}");
        }
    }
}

#[test]
fn hashes_are_equal_for_every_prefetch() {
    let engine = photographs_engine(2);
    for (name, spec) in specs() {
        let expected = made_hashes(&engine, &spec, &epoch(2));
        let request = engine.resolve(&spec, &rank(0, 1), &v1::Delivery::default()).expect("a sound request");
        let one = request.batch_bytes();
        for prefetch in [0, one, one * 5 / 2, one * 4, 1 << 40] {
            let delivery = v1::Delivery { prefetch_bytes: Some(prefetch), ..epoch(2) };
            assert_eq!(made_hashes(&engine, &spec, &delivery), expected, "{name}, prefetch {prefetch}");
        }
    }
}

#[test]
fn what_an_op_draws_does_not_depend_on_what_the_ops_before_it_drew() {
    let engine = photographs_engine(2);
    let images = |p: f64| {
        let pipeline = [
            Op::Resize(v1::Resize { height: 8, width: 8, ..Default::default() }),
            Op::VerticalFlip(v1::VerticalFlip { p: Some(p) }),
            Op::Brightness(v1::Brightness { factor: vec![0.5, 1.5], p: Some(0.5), ..Default::default() }),
            Op::ColorJitter(v1::ColorJitter { brightness: vec![0.5, 1.5], ..Default::default() }),
        ];
        let delivery =
            v1::Delivery { dtype: v1::Dtype::Uint8.into(), layout: v1::Layout::Nhwc.into(), ..from(0, 0, 1) };
        let batch = made(&engine, &spec_of(pipeline, 32), &rank(0, 1), &delivery).remove(0);
        batch.payload()[..32 * 8 * 8 * 3].to_vec()
    };
    let (upright, mut flipped) = (images(0.0), images(1.0));
    assert_ne!(upright, flipped);
    for image in flipped.chunks_exact_mut(8 * 8 * 3) {
        let rows: Vec<u8> = image.chunks_exact(8 * 3).rev().flatten().copied().collect();
        image.copy_from_slice(&rows);
    }
    assert_eq!(upright, flipped, "the brightness of a row is the same whether it was flipped before or not");
}

#[test]
fn the_order_of_ops_is_part_of_the_spec() {
    let engine = photographs_engine(2);
    let crop = Op::RandomResizedCrop(v1::RandomResizedCrop { height: 16, width: 16, ..Default::default() });
    let flip = Op::HorizontalFlip(v1::HorizontalFlip { p: Some(0.5) });
    let gray = Op::Grayscale(v1::Grayscale { p: Some(0.5), ..Default::default() });
    let specs = [spec_of([crop.clone(), flip.clone(), gray.clone()], 32), spec_of([crop, gray, flip], 32)];
    let [first, second] = specs.map(|spec| {
        let request = engine.resolve(&spec, &rank(0, 1), &from(0, 0, 1)).expect("a sound request");
        (request.recipe.fingerprint.clone(), made_hashes(&engine, &spec, &from(0, 0, 1)))
    });
    assert_ne!(first.0, second.0);
    assert_ne!(first.1, second.1, "draws are keyed by the op's place");
}
