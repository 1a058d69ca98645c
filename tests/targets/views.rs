//! Every view has the annotations that its own ops make.

use std::sync::Arc;

use feedline::engine::Lease;
use feedline::sample::{AnnotatedBox, Annotations, BoxFormat, Keypoint};
use feedline::source::Given;
use feedline_proto::v1::{self, op::Op};

use super::batches::{Row, png, rows, rows_of};
use super::common::{self, engine, from, hash, made, mixed, rank, spec_of};
use super::{all_targets, bytes, dataset_of};

const COLOURS: [[u8; 3]; 3] = [[250, 10, 10], [10, 250, 10], [10, 10, 250]];

/// Samples of 40 x 30 with a red, a green and a blue rectangle, each marked by a box with its colour as label and by a class of the
/// mask; keypoints are at the left upper and the right upper pixel of the red one.
fn sample(index: u32) -> Given {
    let rectangles = [
        [2 + index % 5, 3 + index % 4, 14 + index % 3, 12],
        [22, 2 + index % 7, 30 + index % 6, 13],
        [6 + index % 8, 16, 26 + index % 4, 24 + index % 5],
    ];
    let at = |x: u32, y: u32| {
        rectangles.iter().position(|[x1, y1, x2, y2]| (*x1..*x2).contains(&x) && (*y1..*y2).contains(&y))
    };
    let found: Vec<Option<usize>> = (0..30).flat_map(|y| (0..40).map(move |x| (x, y))).map(|(x, y)| at(x, y)).collect();
    let values: Vec<u8> = found.iter().flat_map(|found| found.map_or([0; 3], |colour| COLOURS[colour])).collect();
    let classes: Vec<u8> = found.iter().map(|found| found.map_or(0, |colour| colour as u8 + 1)).collect();
    let own = |(label, corners): (i64, &[u32; 4])| AnnotatedBox {
        numbers: corners.map(f64::from),
        format: BoxFormat::PascalVoc,
        label,
    };
    let [x1, y1, x2, _] = rectangles[0].map(f64::from);
    Given {
        key: format!("{index:02}.png"),
        label: i64::from(index % 2),
        image: Arc::from(png(40, 30, png::ColorType::Rgb, &values)),
        annotations: Annotations {
            boxes: (0..).zip(&rectangles).map(own).collect(),
            keypoints: vec![
                Keypoint { id: 0, ..Keypoint::new(x1, y1) },
                Keypoint { id: 1, ..Keypoint::new(x2 - 1.0, y1) },
            ],
        },
        masks: vec![Arc::from(png(40, 30, png::ColorType::Grayscale, &classes))],
        ..Default::default()
    }
}

fn coloured(threads: usize) -> feedline::engine::Engine {
    engine(dataset_of((0..12).map(sample)), threads)
}

fn op(op: Op) -> v1::Op {
    v1::Op { op: Some(op) }
}

fn crop(side: u32) -> Op {
    Op::RandomCrop(v1::RandomCrop { height: side, width: side, ..Default::default() })
}

fn flip() -> Op {
    Op::HorizontalFlip(v1::HorizontalFlip { p: Some(1.0) })
}

fn group(name: &str, count: u32, side: u32) -> v1::ViewGroup {
    let ops = [crop(side), Op::HorizontalFlip(v1::HorizontalFlip::default()), Op::Rot90(v1::Rot90::default())];
    v1::ViewGroup { name: name.into(), count: Some(count), ops: ops.map(op).to_vec(), ..Default::default() }
}

fn test_time(test_time: v1::TestTime) -> v1::ViewGroup {
    v1::ViewGroup { test_time: test_time.into(), ..Default::default() }
}

/// A spec of ops, then views, in the order of the samples.
fn viewed(ops: impl IntoIterator<Item = Op>, groups: Vec<v1::ViewGroup>) -> v1::LoaderSpec {
    let mut spec = all_targets(spec_of(ops, 12));
    spec.set_order(v1::Order::Sequential);
    v1::LoaderSpec { views: Some(v1::Views { count: 0, groups }), ..spec }
}

fn first(spec: &v1::LoaderSpec) -> Arc<Lease> {
    made(&coloured(2), spec, &rank(0, 1), &bytes(from(0, 0, 1))).remove(0)
}

/// That every box encloses its colour exactly, the mask has the classes of the colours, and keypoints are on the red rectangle.
/// Returns how many boxes there are.
fn check(row: &Row, about: &str) -> usize {
    for (label, colour) in (0..).zip(COLOURS) {
        let hull: Vec<_> = row.hull(|pixel| pixel == colour).into_iter().collect();
        let boxes: Vec<_> =
            row.boxes.iter().zip(&row.labels).filter(|(_, own)| **own == label).map(|(own, _)| *own).collect();
        assert_eq!(boxes, hull, "boxes of colour {label} of {about}");
    }
    let class = |pixel: &[u8]| COLOURS.iter().position(|colour| colour == pixel).map_or(0, |colour| colour as u8 + 1);
    assert_eq!(row.mask, row.image.chunks(3).map(class).collect::<Vec<_>>(), "the mask of {about}");
    let height = row.mask.len() / row.width;
    assert_eq!(row.ids.len(), 2);
    for [x, y, visibility] in &row.keypoints {
        let inside = *x >= 0.0 && *y >= 0.0 && *x < row.width as f32 && *y < height as f32;
        assert_eq!(*visibility > 0.0, inside, "{x}, {y} of {about}");
        assert!(!inside || row.mask[*y as usize * row.width + *x as usize] == 1, "{x}, {y} of {about}");
    }
    row.boxes.len()
}

#[test]
fn each_view_has_the_boxes_masks_and_keypoints_that_it_shows() {
    let square = Op::CenterCrop(v1::CenterCrop { height: 28, width: 28, ..Default::default() });
    let five = v1::ViewGroup { height: 20, width: 18, ..test_time(v1::TestTime::FiveCrop) };
    let ten = v1::ViewGroup { height: 20, width: 18, ..test_time(v1::TestTime::TenCrop) };
    for (ops, group, views) in [
        (vec![], group("", 3, 20), 3),
        (vec![], five, 5),
        (vec![flip()], ten, 10),
        (vec![square], test_time(v1::TestTime::D4), 8),
        (vec![], test_time(v1::TestTime::Flips), 4),
    ] {
        let batch = first(&viewed(ops, vec![group]));
        let tensor = |name: &str| {
            let tensor = batch.tensors.iter().find(|tensor| tensor.name == name).expect("there");
            (tensor.views, tensor.shape[0])
        };
        let rows = rows(&batch);
        assert_eq!(
            (tensor("mask"), tensor("box_offsets")),
            ((views, 12 * u64::from(views)), (views, 12 * u64::from(views) + 1))
        );
        assert_eq!(tensor("boxes").1, rows.iter().map(|row| row.boxes.len() as u64).sum::<u64>());
        assert_eq!(rows.len(), 12 * views as usize);
        let boxes: usize = rows.iter().enumerate().map(|(at, row)| check(row, &format!("row {at}"))).sum();
        assert!(boxes > rows.len(), "only {boxes} boxes in {} rows", rows.len());
        assert_eq!(batch.crc32c, feedline_proto::crc32c::of(batch.payload()));
    }
}

#[test]
fn a_view_is_marked_as_its_ops_alone_would_mark_it() {
    let pair = v1::FlipPair { left: "left".into(), right: "right".into() };
    let rules = v1::KeypointRules { flip_pairs: vec![pair], ..Default::default() };
    let box_rules = Some(v1::BoxRules { min_area: 40.0, ..Default::default() });
    let with_rules = |spec| v1::LoaderSpec { keypoint_rules: Some(rules.clone()), box_rules, ..spec };
    let smaller =
        Op::Resize(v1::Resize { height: 18, width: 26, filter: v1::Filter::Nearest.into(), ..Default::default() });
    let down = || Op::VerticalFlip(v1::VerticalFlip { p: Some(1.0) });
    for before in [vec![], vec![smaller]] {
        let batch = first(&with_rules(viewed(before.clone(), vec![test_time(v1::TestTime::Flips)])));
        let found = rows(&batch);
        for (view, ops) in [vec![], vec![flip()], vec![down()], vec![flip(), down()]].into_iter().enumerate() {
            let plain =
                v1::LoaderSpec { views: None, ..with_rules(viewed([before.clone(), ops].concat(), Vec::new())) };
            let alone = rows(&first(&plain));
            let of_view: Vec<&Row> = found.iter().skip(view).step_by(4).collect();
            assert_eq!(of_view, alone.iter().collect::<Vec<_>>(), "view {view}");
        }
    }
}

#[test]
fn mirrored_views_trade_left_and_right() {
    let spec = viewed([], vec![test_time(v1::TestTime::Flip)]);
    let pair = v1::FlipPair { left: "left".into(), right: "right".into() };
    let rules = v1::KeypointRules { flip_pairs: vec![pair], ..Default::default() };
    let paired = v1::LoaderSpec { keypoint_rules: Some(rules), ..spec.clone() };
    let left_is_left = |spec| -> Vec<bool> {
        let rows = rows(&first(spec));
        let place = |row: &Row, id| row.ids.iter().position(|own| *own == id).map(|at| row.keypoints[at][0]);
        rows.iter().map(|row| place(row, 0) < place(row, 1)).collect()
    };
    assert_eq!(left_is_left(&paired), [true; 24]);
    assert_eq!(left_is_left(&spec), [true, false].repeat(12));
}

#[test]
fn groups_of_views_have_tensors_of_their_own_for_what_is_marked() {
    let spec = viewed([], vec![group("global", 2, 26), group("local", 4, 12)]);
    let batch = first(&spec);
    let names: Vec<_> = batch.tensors.iter().map(|tensor| (tensor.name.as_str(), tensor.views)).collect();
    let expected = [
        ("image_global", 2),
        ("image_local", 4),
        ("label", 0),
        ("mask_global", 2),
        ("box_offsets_global", 2),
        ("keypoint_offsets_global", 2),
        ("mask_local", 4),
        ("box_offsets_local", 4),
        ("keypoint_offsets_local", 4),
        ("boxes_global", 0),
        ("box_label_global", 0),
        ("keypoints_global", 0),
        ("keypoint_id_global", 0),
        ("boxes_local", 0),
        ("box_label_local", 0),
        ("keypoints_local", 0),
        ("keypoint_id_local", 0),
    ];
    assert_eq!(names, expected);
    for (suffix, views) in [("_global", 2), ("_local", 4)] {
        let rows = rows_of(&batch, suffix);
        assert_eq!(rows.len(), 12 * views);
        let boxes: usize = rows.iter().enumerate().map(|(at, row)| check(row, &format!("row {at} of {suffix}"))).sum();
        assert!(boxes > 12, "only {boxes} boxes of {suffix}");
    }
    let request = coloured(1).resolve(&spec, &rank(0, 1), &bytes(from(0, 0, 1))).expect("sound");
    let described = request.describe();
    assert!(batch.payload().len() as u64 <= described.payload_bytes);
    let shape =
        |name: &str| described.tensors.iter().find(|tensor| tensor.name == name).map(|tensor| tensor.shape.clone());
    assert_eq!(
        (shape("boxes_global"), shape("keypoints_local")),
        (Some(vec![72, 4]), Some(vec![96, 3])),
        "the most there can be"
    );
}

#[test]
fn marked_views_do_not_depend_on_ranks_threads_or_where_a_stream_began() {
    let shuffled =
        |spec: v1::LoaderSpec| v1::LoaderSpec { order: v1::Order::Shuffled.into(), global_batch_size: 4, ..spec };
    let two = shuffled(viewed([], vec![group("a", 2, 20), group("b", 3, 12)]));
    let cut = mixed(shuffled(viewed([], vec![group("", 3, 20)])), common::cutmix());
    for (spec, suffixes) in [(two, vec!["_a", "_b"]), (cut, vec![""])] {
        let engine = coloured(3);
        let whole = made(&engine, &spec, &rank(0, 1), &bytes(from(0, 0, 6)));
        let halves: Vec<_> = (0..2).map(|own| made(&engine, &spec, &rank(own, 2), &bytes(from(0, 0, 6)))).collect();
        for (step, batch) in whole.iter().enumerate() {
            for suffix in &suffixes {
                let parts: Vec<Row> = halves.iter().flat_map(|half| rows_of(&half[step], suffix)).collect();
                assert_eq!(rows_of(batch, suffix), parts, "step {step}, {suffix}");
            }
        }
        let resumed = made(&coloured(1), &spec, &rank(0, 1), &bytes(from(1, 1, 2)));
        let hashes = |batches: &[Arc<Lease>]| batches.iter().map(|batch| hash(batch.payload())).collect::<Vec<_>>();
        assert_eq!(hashes(&whole[4..]), hashes(&resumed), "three steps make an epoch");
    }
}

#[test]
fn every_view_of_a_cut_row_is_pasted_with_the_masks_of_the_same_view() {
    let spec = mixed(viewed([], vec![test_time(v1::TestTime::Flip)]), common::cutmix());
    let rows = rows(&first(&spec));
    for row in &rows {
        let class =
            |pixel: &[u8]| COLOURS.iter().position(|colour| colour == pixel).map_or(0, |colour| colour as u8 + 1);
        assert_eq!(row.mask, row.image.chunks(3).map(class).collect::<Vec<_>>());
        for (label, colour) in (0..).zip(COLOURS) {
            let Some([x1, y1, x2, y2]) = row.hull(|pixel| pixel == colour) else { continue };
            let own = row.boxes.iter().zip(&row.labels).filter(|(_, own)| **own == label).map(|(own, _)| *own);
            let around = own.reduce(|a, b| [a[0].min(b[0]), a[1].min(b[1]), a[2].max(b[2]), a[3].max(b[3])]);
            let around = around.expect("a colour that shows has a box");
            assert!(around[0] <= x1 && around[1] <= y1 && around[2] >= x2 && around[3] >= y2, "{around:?}");
        }
    }
}
