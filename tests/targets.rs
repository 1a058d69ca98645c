//! Promise: boxes, masks and keypoints follow the image from the dataset to the client, and are as repeatable as pixels.

use std::sync::Arc;

use feedline::client::Loader;
use feedline::sample::{AnnotatedBox, Annotations, BoxFormat, Keypoint};
use feedline::source::{Given, Names, in_memory};
use feedline::store::{Dataset, Mode};
use feedline_proto::v1::{self, op::Op};

mod common;

#[path = "targets/batches.rs"]
mod batches;

#[path = "targets/mixing.rs"]
mod mixing;

#[path = "targets/views.rs"]
mod views;

use batches::{Row, png, rows};
use common::{engine, from, hash, loaded, made, mixed, rank, spec_of};

/// Samples of 40 x 30, black but for one rectangle: marked by a box, by class 1 of the mask, and by keypoints at its left upper
/// (0) and right upper (1) pixel.
fn sample(index: u32) -> Given {
    let (width, height) = (40, 30);
    let (x1, y1) = (4 + index % 7, 3 + index % 5);
    let (x2, y2) = (x1 + 10 + index % 9, y1 + 8 + index % 4);
    let inside = |x: u32, y: u32| (x1..x2).contains(&x) && (y1..y2).contains(&y);
    let pixels: Vec<bool> = (0..height).flat_map(|y| (0..width).map(move |x| inside(x, y))).collect();
    let values: Vec<u8> = pixels.iter().flat_map(|marked| [if *marked { 255 } else { 0 }; 3]).collect();
    let classes: Vec<u8> = pixels.iter().map(|marked| u8::from(*marked)).collect();
    let corners = [x1, y1, x2, y2].map(f64::from);
    let point = |x: u32, id| Keypoint { id, ..Keypoint::new(f64::from(x), f64::from(y1)) };
    Given {
        key: format!("{index:02}.png"),
        label: i64::from(index % 2),
        image: Arc::from(png(width, height, png::ColorType::Rgb, &values)),
        annotations: Annotations {
            boxes: vec![AnnotatedBox { numbers: corners, format: BoxFormat::PascalVoc, label: i64::from(index % 3) }],
            keypoints: vec![point(x1, 0), point(x2 - 1, 1)],
        },
        masks: vec![Arc::from(png(width, height, png::ColorType::Grayscale, &classes))],
        ..Default::default()
    }
}

fn dataset_of(samples: impl IntoIterator<Item = Given>) -> Dataset {
    let texts = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let names = Names {
        classes: texts(&["even", "odd"]),
        box_classes: texts(&["a", "b", "c"]),
        keypoints: texts(&["left", "right"]),
    };
    loaded(in_memory("rectangles", names, samples).expect("a listing"), Mode::Auto)
}

fn dataset() -> Dataset {
    dataset_of((0..24).map(sample))
}

fn all_targets(spec: v1::LoaderSpec) -> v1::LoaderSpec {
    let targets = [v1::Target::Boxes, v1::Target::Mask, v1::Target::Keypoints];
    v1::LoaderSpec { targets: targets.map(Into::into).to_vec(), ..spec }
}

fn bytes(delivery: v1::Delivery) -> v1::Delivery {
    v1::Delivery { dtype: v1::Dtype::Uint8.into(), layout: v1::Layout::Nhwc.into(), ..delivery }
}

/// Crops, resizes, mirrors and turns.
fn moving_ops() -> [Op; 4] {
    let nearest = v1::Filter::Nearest.into();
    let crop =
        v1::RandomResizedCrop { height: 36, width: 36, scale: vec![0.5, 1.0], filter: nearest, ..Default::default() };
    [
        Op::RandomResizedCrop(crop),
        Op::HorizontalFlip(v1::HorizontalFlip::default()),
        Op::VerticalFlip(v1::VerticalFlip::default()),
        Op::Rot90(v1::Rot90::default()),
    ]
}

fn all_rows(spec: &v1::LoaderSpec, delivery: v1::Delivery) -> Vec<Row> {
    made(&engine(dataset(), 2), spec, &rank(0, 1), &bytes(delivery)).iter().flat_map(|batch| rows(batch)).collect()
}

#[test]
fn annotations_stay_on_what_they_mark_through_crops_flips_and_turns() {
    let rows = all_rows(&all_targets(spec_of(moving_ops(), 8)), from(0, 0, 6));
    assert_eq!(rows.len(), 48);
    let mut seen = 0;
    for row in &rows {
        let Some(found) = row.marked() else { continue };
        // Image and mask may round the place of an edge differently, by a pixel.
        let other =
            row.image.chunks(3).zip(&row.mask).filter(|(pixel, class)| (pixel[0] > 127) != (**class == 1)).count();
        assert!(other <= 4 * 36, "{other} pixels of the mask are elsewhere than in the image");
        seen += 1;
        let [own] = &row.boxes[..] else { panic!("one box in {:?}", row.boxes) };
        for (side, (own, found)) in own.iter().zip(found).enumerate() {
            // Nearest moves an edge by at most a pixel of the enlarged image.
            assert!((own - found).abs() <= 1.5, "side {side}: {:?}, the rectangle is {found:?}", row.boxes);
        }
        for [x, y, visibility] in &row.keypoints {
            let inside = *x >= 0.0 && *y >= 0.0 && *x < 36.0 && *y < 36.0;
            assert_eq!(*visibility, if inside { 2.0 } else { 0.0 });
            let at = |x: f32, y: f32| {
                row.mask[(y.round().clamp(0.0, 35.0) as usize) * 36 + x.round().clamp(0.0, 35.0) as usize]
            };
            let near = [(0.0, 0.0), (1.0, 1.0), (1.0, -1.0), (-1.0, 1.0), (-1.0, -1.0)];
            let on = near.iter().any(|(dx, dy)| at(x + dx, y + dy) == 1);
            assert!(!inside || on, "keypoint {x}, {y} lies on the rectangle");
        }
    }
    assert!(seen > 40, "only {seen} rectangles are still in the image");
}

#[test]
fn masks_equal_the_image_to_the_pixel_where_nothing_is_resized() {
    let [_, mirror, upside_down, turn] = moving_ops();
    let crop = Op::RandomCrop(v1::RandomCrop { height: 20, width: 20, ..Default::default() });
    let rows = all_rows(&all_targets(spec_of([crop, mirror, upside_down, turn], 8)), from(0, 0, 3));
    for row in rows {
        let classes: Vec<u8> = row.image.chunks(3).map(|pixel| u8::from(pixel[0] > 127)).collect();
        assert_eq!(row.mask, classes);
        assert_eq!(row.boxes.first().copied(), row.marked());
    }
}

#[test]
fn left_and_right_trade_names_and_places_when_mirrored() {
    let mirrored = Op::HorizontalFlip(v1::HorizontalFlip { p: Some(1.0) });
    let pair = v1::FlipPair { left: "left".into(), right: "1".into() };
    let rules = v1::KeypointRules { flip_pairs: vec![pair], ..Default::default() };
    let spec = v1::LoaderSpec { keypoint_rules: Some(rules), ..all_targets(spec_of([mirrored], 24)) };
    let plain = v1::LoaderSpec { keypoint_rules: None, ..spec.clone() };
    for row in all_rows(&spec, from(0, 0, 1)) {
        assert_eq!(row.ids, [0, 1]);
        assert!(row.keypoints[0][0] < row.keypoints[1][0], "left is left: {:?}", row.keypoints);
    }
    assert!(all_rows(&plain, from(0, 0, 1)).iter().all(|row| row.keypoints[0][0] > row.keypoints[1][0]));
}

#[test]
fn boxes_come_in_the_format_that_was_asked_for() {
    let spec = all_targets(spec_of([], 24));
    let of = |format: v1::BoxFormat| {
        all_rows(&spec, v1::Delivery { box_format: format.into(), ..from(0, 0, 1) })
            .into_iter()
            .map(|row| row.boxes[0])
            .collect()
    };
    let corners: Vec<[f32; 4]> = of(v1::BoxFormat::Unspecified);
    let (coco, yolo, normalized): (Vec<_>, Vec<_>, Vec<_>) =
        (of(v1::BoxFormat::Coco), of(v1::BoxFormat::Yolo), of(v1::BoxFormat::Normalized));
    for (index, [x1, y1, x2, y2]) in corners.into_iter().enumerate() {
        assert_eq!(coco[index], [x1, y1, x2 - x1, y2 - y1]);
        assert_eq!(yolo[index], [(x1 + x2) / 80.0, (y1 + y2) / 60.0, (x2 - x1) / 40.0, (y2 - y1) / 30.0]);
        assert_eq!(normalized[index], [x1 / 40.0, y1 / 30.0, x2 / 40.0, y2 / 30.0]);
    }
}

#[test]
fn rules_decide_which_boxes_stay() {
    let crop = Op::CenterCrop(v1::CenterCrop { height: 12, width: 12, ..Default::default() });
    let count = |rules: v1::BoxRules| {
        let spec = v1::LoaderSpec { box_rules: Some(rules), ..all_targets(spec_of([crop.clone()], 24)) };
        all_rows(&spec, from(0, 0, 1)).iter().map(|row| row.boxes.len()).sum::<usize>()
    };
    let none = v1::BoxRules::default();
    let all = count(none);
    assert!(all > 10, "{all}");
    for stricter in [
        v1::BoxRules { min_area: 30.0, ..none },
        v1::BoxRules { min_visibility: 0.3, ..none },
        v1::BoxRules { min_width: 5.0, ..none },
        v1::BoxRules { min_height: 6.0, ..none },
    ] {
        let left = count(stricter);
        assert!(left > 0 && left < all, "{stricter:?} leaves {left} of {all}");
    }
    assert_eq!(count(v1::BoxRules { min_area: 1e6, ..none }), 0);
}

#[test]
fn rows_of_a_step_do_not_depend_on_ranks_threads_or_where_a_stream_began() {
    let plain = || all_targets(spec_of(moving_ops(), 8));
    let boxes_and_masks =
        v1::LoaderSpec { targets: vec![v1::Target::Boxes.into(), v1::Target::Mask.into()], ..plain() };
    let copy_paste = mixing::copy_paste(1.0, 10);
    for spec in [
        plain(),
        mixed(plain(), common::cutmix()),
        mixed(plain(), common::mosaic()),
        mixed(boxes_and_masks, copy_paste),
    ] {
        let engine = engine(dataset(), 3);
        let whole = made(&engine, &spec, &rank(0, 1), &bytes(from(0, 0, 6)));
        for world in [2, 4] {
            let of = |own| made(&engine, &spec, &rank(own, world), &bytes(from(0, 0, 6)));
            let ranks: Vec<_> = (0..world).map(of).collect();
            for (step, batch) in whole.iter().enumerate() {
                let parts: Vec<Row> = ranks.iter().flat_map(|rank| rows(&rank[step])).collect();
                assert_eq!(rows(batch), parts, "step {step} of {world} ranks");
            }
        }
        let resumed = made(&common::engine(dataset(), 1), &spec, &rank(0, 1), &bytes(from(1, 1, 2)));
        let hashes = |batches: &[Arc<_>]| -> Vec<String> {
            batches.iter().map(|batch: &Arc<feedline::engine::Lease>| hash(batch.payload())).collect()
        };
        assert_eq!(hashes(&whole[4..]), hashes(&resumed), "three steps make an epoch");
    }
}

#[test]
fn cutmix_cuts_boxes_and_pastes_masks_and_mixup_keeps_both() {
    let spec = mixed(all_targets(spec_of([], 24)), common::cutmix());
    for row in all_rows(&spec, from(0, 0, 4)) {
        let classes: Vec<u8> = row.image.chunks(3).map(|pixel| u8::from(pixel[0] > 127)).collect();
        assert_eq!(row.mask, classes);
        let covered = |index: usize| {
            let (x, y) = ((index % 40) as f32 + 0.5, (index / 40) as f32 + 0.5);
            row.boxes.iter().any(|[x1, y1, x2, y2]| x > *x1 && y > *y1 && x < *x2 && y < *y2)
        };
        assert!(
            (0..1200).all(|index| classes[index] == 0 || covered(index)),
            "a box covers what is left: {:?}",
            row.boxes
        );
    }
    let targets = vec![v1::Target::Boxes.into()];
    let spec = mixed(v1::LoaderSpec { targets, ..spec_of([], 24) }, common::mixup());
    assert!(all_rows(&spec, from(0, 0, 1)).iter().all(|row| row.boxes.len() == 2));
}

#[test]
fn a_split_with_several_masks_stacks_them() {
    let two = (0..4).map(|index| {
        let own = sample(index);
        let empty = Arc::from(png(40, 30, png::ColorType::Grayscale, &[7; 1200]));
        Given { masks: vec![Arc::clone(&own.masks[0]), empty], ..own }
    });
    let engine = engine(dataset_of(two), 1);
    let batch = made(&engine, &all_targets(spec_of([], 4)), &rank(0, 1), &bytes(from(0, 0, 1))).remove(0);
    let mask = batch.tensors.iter().find(|tensor| tensor.name == "mask").expect("asked for");
    assert_eq!(mask.shape, [4, 2, 30, 40]);
    let bytes = &batch.payload()[mask.offset as usize..(mask.offset + mask.bytes) as usize];
    for row in bytes.chunks(2400) {
        assert!(row[..1200].iter().all(|class| *class < 2) && row[1200..].iter().all(|class| *class == 7));
    }
}

#[tokio::test]
async fn a_client_gets_ragged_batches_within_what_was_described() {
    let running = common::Running::start(engine(dataset(), 2)).await;
    let crop = Op::RandomCrop(v1::RandomCrop { height: 10, width: 10, ..Default::default() });
    let spec = all_targets(spec_of([crop], 6));
    let loader = Loader { spec, delivery: bytes(from(0, 0, 8)), ..Default::default() };
    let mut stream = running.client().stream(loader).await.expect("admitted");
    let described = stream.description().clone();
    assert_eq!((described.box_classes.len(), described.keypoint_names.len()), (3, 2));
    let names: Vec<_> = described.tensors.iter().map(|tensor| tensor.name.as_str()).collect();
    let ragged = ["boxes", "box_label", "keypoints", "keypoint_id"];
    assert_eq!(names[..5], ["image", "label", "mask", "box_offsets", "keypoint_offsets"]);
    assert_eq!(names[5..], ragged, "ragged ones are the last");
    let mut lengths = std::collections::BTreeSet::new();
    while let Some(batch) = stream.next().await.expect("a sound stream") {
        assert!(batch.header.payload_bytes <= described.payload_bytes);
        let (boxes, _) = batch.tensor("boxes").expect("asked for");
        let (_, offsets) = batch.tensor("box_offsets").expect("asked for");
        let last = offsets.as_chunks::<8>().0.last().map(|last| i64::from_le_bytes(*last));
        assert_eq!(last, Some(boxes.shape[0] as i64));
        lengths.insert(boxes.shape[0]);
    }
    assert!(lengths.len() > 1, "crops leave different numbers of boxes: {lengths:?}");
    running.stop().await;
}
