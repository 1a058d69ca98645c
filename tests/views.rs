//! Promise: a spec may ask for several views of every sample, each what its ops alone would make; the batch tells sample and view
//! of every row, and views change with seed, epoch and position alone.

mod common;

use common::*;
use feedline::engine::{Engine, Lease};
use feedline_proto::v1::{self, op::Op};

const SIDE: u32 = 32;

fn op(op: Op) -> v1::Op {
    v1::Op { op: Some(op) }
}

fn resize(height: u32, width: u32) -> Op {
    Op::Resize(v1::Resize { height, width, ..Default::default() })
}

fn random_crop(side: u32) -> v1::Op {
    op(Op::RandomResizedCrop(v1::RandomResizedCrop { height: side, width: side, ..Default::default() }))
}

fn mirrored() -> Op {
    Op::HorizontalFlip(v1::HorizontalFlip { p: Some(1.0) })
}

fn with_views(spec: v1::LoaderSpec, groups: Vec<v1::ViewGroup>) -> v1::LoaderSpec {
    v1::LoaderSpec { views: Some(v1::Views { count: 0, groups }), ..spec }
}

fn test_time(test_time: v1::TestTime) -> v1::ViewGroup {
    let crops = matches!(test_time, v1::TestTime::FiveCrop | v1::TestTime::TenCrop);
    let (height, width) = if crops { (20, 20) } else { (0, 0) };
    v1::ViewGroup { test_time: test_time.into(), height, width, ..Default::default() }
}

/// DINO's crops: two large ones and four small ones.
fn multi_crop() -> v1::LoaderSpec {
    let group = |name: &str, count, side| v1::ViewGroup {
        name: name.into(),
        count: Some(count),
        ops: vec![random_crop(side)],
        ..Default::default()
    };
    with_views(spec_of([], 20), vec![group("global", 2, SIDE), group("local", 4, 12)])
}

fn u8s() -> v1::Delivery {
    let mut delivery = from(0, 0, 1);
    delivery.set_dtype(v1::Dtype::Uint8);
    delivery.set_layout(v1::Layout::Nhwc);
    delivery
}

/// The rows of the tensor `name`.
fn rows<'a>(batch: &'a Lease, name: &str) -> Vec<&'a [u8]> {
    let tensor = batch.tensors.iter().find(|tensor| tensor.name == name).expect("a tensor of that name");
    let bytes = &batch.payload()[tensor.offset as usize..][..tensor.bytes as usize];
    bytes.chunks_exact(bytes.len() / tensor.shape[0] as usize).collect()
}

/// What the engine makes of the first batch with `ops` alone.
fn plain(engine: &Engine, ops: Vec<Op>) -> Vec<Vec<u8>> {
    let mut spec = spec_of(ops, 20);
    spec.set_order(v1::Order::Sequential);
    let batch = made(engine, &spec, &rank(0, 1), &u8s()).remove(0);
    rows(&batch, "image").into_iter().map(<[u8]>::to_vec).collect()
}

#[test]
fn every_view_is_what_its_ops_alone_would_make() {
    let engine = photographs_engine(2);
    let corner = |corner: v1::Corner| {
        Op::FixedCrop(v1::FixedCrop { height: 20, width: 20, corner: corner.into(), ..Default::default() })
    };
    let middle = || Op::CenterCrop(v1::CenterCrop { height: 20, width: 20, ..Default::default() });
    let turn = |turns| Op::Rot90(v1::Rot90 { turns: vec![turns], p: Some(1.0) });
    let down = || Op::VerticalFlip(v1::VerticalFlip { p: Some(1.0) });
    let corners = [v1::Corner::TopLeft, v1::Corner::TopRight, v1::Corner::BottomLeft, v1::Corner::BottomRight];
    let mut five: Vec<Vec<Op>> = corners.into_iter().map(|c| vec![corner(c)]).collect();
    five.push(vec![middle()]);
    let mut ten = five.clone();
    ten.extend(five.iter().map(|crop| [vec![mirrored()], crop.clone()].concat()));
    let cases: [(v1::TestTime, Vec<Vec<Op>>); 5] = [
        (v1::TestTime::Flip, vec![vec![], vec![mirrored()]]),
        (v1::TestTime::Flips, vec![vec![], vec![mirrored()], vec![down()], vec![turn(2)]]),
        (
            v1::TestTime::D4,
            vec![
                vec![],
                vec![turn(1)],
                vec![turn(2)],
                vec![turn(3)],
                vec![down()],
                vec![turn(3), down()],
                vec![mirrored()],
                vec![turn(3), mirrored()],
            ],
        ),
        (v1::TestTime::FiveCrop, five),
        (v1::TestTime::TenCrop, ten),
    ];
    for (kind, views) in cases {
        let mut spec = with_views(spec_of([resize(SIDE, SIDE)], 20), vec![test_time(kind)]);
        spec.set_order(v1::Order::Sequential);
        let batch = made(&engine, &spec, &rank(0, 1), &u8s()).remove(0);
        let tensor = &batch.tensors[0];
        assert_eq!((tensor.name.as_str(), tensor.views as usize), ("image", views.len()));
        let found = rows(&batch, "image");
        assert_eq!((found.len(), batch.rows()), (20 * views.len(), 20));
        for (view, ops) in views.iter().enumerate() {
            let alone = plain(&engine, [vec![resize(SIDE, SIDE)], ops.clone()].concat());
            for (sample, expected) in alone.iter().enumerate() {
                assert_eq!(found[sample * views.len() + view], expected, "{kind:?}, view {view} of sample {sample}");
            }
        }
    }
}

#[test]
fn groups_of_views_are_tensors_of_their_own_and_their_draws_are_too() {
    let engine = photographs_engine(2);
    let batch = made(&engine, &multi_crop(), &rank(0, 1), &u8s()).remove(0);
    let names: Vec<_> = batch.tensors.iter().map(|t| (t.name.as_str(), t.views, t.shape.clone())).collect();
    assert_eq!(
        names,
        [("image_global", 2, vec![40, 32, 32, 3]), ("image_local", 4, vec![80, 12, 12, 3]), ("label", 0, vec![20]),]
    );
    assert!(batch.tensors.iter().all(|tensor| tensor.offset.is_multiple_of(64)));
    assert_eq!(batch.crc32c, feedline_proto::crc32c::of(batch.payload()));
    for (name, views) in [("image_global", 2), ("image_local", 4)] {
        let rows = rows(&batch, name);
        let equal = rows.chunks(views).filter(|views| views[1..].contains(&views[0])).count();
        assert_eq!(equal, 0, "two views of {name} are the same crop");
    }
}

#[test]
fn copies_are_made_by_the_whole_pipeline_with_draws_of_their_own() {
    let engine = photographs_engine(2);
    let copies =
        v1::LoaderSpec { views: Some(v1::Views { count: 3, groups: Vec::new() }), ..spec("imagenet-train", 8) };
    let request = engine.resolve(&copies, &rank(0, 1), &u8s()).expect("a sound request");
    let described = request.describe();
    assert_eq!(described.tensors[0].shape, [24, 224, 224, 3]);
    assert!(described.normalization.is_some(), "8 bits leave the last ops of the pipeline to the client");
    let batch = made(&engine, &copies, &rank(0, 1), &u8s()).remove(0);
    let rows = rows(&batch, "image");
    assert!(rows.chunks(3).all(|views| views[0] != views[1] && views[1] != views[2] && views[0] != views[2]));
    let floats = made(&engine, &copies, &rank(0, 1), &from(0, 0, 1)).remove(0);
    let first = f32::from_le_bytes(floats.payload()[..4].try_into().expect("4 bytes"));
    let expected = (f32::from(rows[0][0]) / 255.0 - 0.485) / 0.229;
    assert!((first - expected).abs() < 1e-5, "{first}, not {expected}");
}

#[test]
fn views_are_the_same_for_any_number_of_threads_and_ranks_and_after_a_resume() {
    let mut delivery = from(0, 0, 5);
    delivery.set_dtype(v1::Dtype::Uint8);
    for spec in [multi_crop(), mixed(with_views(small_spec(20), vec![test_time(v1::TestTime::Flip)]), cutmix())] {
        let (one, four) = (photographs_engine(1), photographs_engine(4));
        let all = made_hashes(&one, &spec, &delivery);
        assert_eq!(made_hashes(&four, &spec, &delivery), all);
        let start = Some(v1::Cursor { epoch: 0, step: 3, ..Default::default() });
        let resumed = v1::Delivery { start, count: Some(2), ..delivery.clone() };
        assert_eq!(made_hashes(&four, &spec, &resumed), all[3..]);
        let whole = made(&four, &spec, &rank(0, 1), &delivery);
        let halves: Vec<_> = (0..2).map(|r| made(&four, &spec, &rank(r, 2), &delivery)).collect();
        for (step, batch) in whole.iter().enumerate() {
            for tensor in &batch.tensors {
                let parts = halves.iter().flat_map(|half| rows(&half[step], &tensor.name));
                assert!(parts.eq(rows(batch, &tensor.name)), "{} of step {step}", tensor.name);
            }
        }
    }
}

#[test]
fn views_of_mixed_rows_are_mixed_alike_and_with_the_same_view_of_the_partner() {
    let engine = photographs_engine(2);
    let spec = with_views(spec_of([resize(SIDE, SIDE)], 16), vec![test_time(v1::TestTime::Flip)]);
    let mixup = v1::mixing::Kind::Mixup(v1::MixUp::default());
    let batch = made(&engine, &mixed(spec, mixup), &rank(0, 1), &from(0, 0, 1)).remove(0);
    let side = SIDE as usize;
    for views in rows(&batch, "image").chunks(2) {
        let [straight, mirrored] = [views[0], views[1]].map(bytemuck::cast_slice::<u8, f32>);
        for (a, b) in straight.chunks(side).zip(mirrored.chunks(side)) {
            assert!(a.iter().eq(b.iter().rev()), "a blend of mirrored images is the mirrored blend");
        }
    }
}
