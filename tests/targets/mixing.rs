//! Mosaics and pasted objects, from the dataset to the client.

use std::collections::BTreeSet;
use std::sync::Arc;

use feedline::sample::{AnnotatedBox, Annotations, BoxFormat, Keypoint};
use feedline::source::Given;
use feedline_proto::v1;

use crate::batches::{Row, png, rows};
use crate::common::{engine, from, made, mixed, mosaic, rank, spec_of};
use crate::{all_targets, bytes, dataset_of};

const WIDTH: u32 = 40;
const HEIGHT: u32 = 30;

pub(crate) fn copy_paste(object_p: f64, max_objects: u32) -> v1::mixing::Kind {
    let (object_p, max_objects) = (Some(object_p), Some(max_objects));
    v1::mixing::Kind::CopyPaste(v1::CopyPaste { object_p, max_objects, ..Default::default() })
}

/// What is at a pixel of a sample: nothing, or an object's number.
type Shape = fn(index: u32, x: u32, y: u32) -> u8;

/// A sample whose background has the red of its index, and whose object the green of its index and class 1 of the mask. The box
/// and one keypoint, at the middle of the box, say where the object is.
fn coloured(index: u32, shape: Shape) -> Given {
    let places = || (0..HEIGHT).flat_map(|y| (0..WIDTH).map(move |x| (x, y)));
    let classes: Vec<u8> = places().map(|(x, y)| shape(index, x, y)).collect();
    let own = 10 + index as u8;
    let values = classes.iter().flat_map(|class| if *class == 0 { [own, 0, 0] } else { [own, own, 0] });
    let values: Vec<u8> = values.collect();
    let object: Vec<(u32, u32)> = places().filter(|(x, y)| shape(index, *x, *y) != 0).collect();
    let numbers = hull(object.iter().copied()).map(f64::from);
    let middle = Keypoint::new(((numbers[0] + numbers[2]) / 2.0).floor(), ((numbers[1] + numbers[3]) / 2.0).floor());
    let boxes = vec![AnnotatedBox { numbers, format: BoxFormat::PascalVoc, label: i64::from(index % 3) }];
    let boxes = if object.is_empty() { Vec::new() } else { boxes };
    let keypoints = if object.is_empty() { Vec::new() } else { vec![middle] };
    Given {
        key: format!("{index:02}.png"),
        label: i64::from(index % 2),
        image: Arc::from(png(WIDTH, HEIGHT, png::ColorType::Rgb, &values)),
        annotations: Annotations { boxes, keypoints },
        masks: vec![Arc::from(png(WIDTH, HEIGHT, png::ColorType::Grayscale, &classes))],
        ..Default::default()
    }
}

fn hull(places: impl Iterator<Item = (u32, u32)>) -> [u32; 4] {
    places.fold([u32::MAX, u32::MAX, 0, 0], |[x1, y1, x2, y2], (x, y)| {
        [x1.min(x), y1.min(y), x2.max(x + 1), y2.max(y + 1)]
    })
}

fn rectangle(index: u32, x: u32, y: u32) -> u8 {
    let (x1, y1) = (index * 5 % 22, index * 7 % 17);
    u8::from((x1..x1 + 12).contains(&x) && (y1..y1 + 9).contains(&y))
}

fn disc(index: u32, x: u32, y: u32) -> u8 {
    let (dx, dy) = (i64::from(x) - i64::from(8 + index * 5 % 22), i64::from(y) - i64::from(8 + index * 3 % 14));
    u8::from(dx * dx + dy * dy < 40)
}

fn nothing(_: u32, _: u32, _: u32) -> u8 {
    0
}

/// The rows of some epochs of 24 such samples, and the floats of their labels if they are soft.
fn epochs(shape: Shape, spec: &v1::LoaderSpec, steps: u64) -> Vec<(Row, Vec<f32>)> {
    let engine = engine(dataset_of((0..24).map(|index| coloured(index, shape))), 2);
    let made = made(&engine, spec, &rank(0, 1), &bytes(from(0, 0, steps)));
    let with_labels = |batch: &Arc<feedline::engine::Lease>| {
        let label = batch.tensors.iter().find(|tensor| tensor.name == "label").expect("always there");
        let bytes = &batch.payload()[label.offset as usize..(label.offset + label.bytes) as usize];
        let soft = label.shape.get(1).map(|classes| *classes as usize);
        let floats: Vec<f32> = bytes.as_chunks::<4>().0.iter().map(|x| f32::from_le_bytes(*x)).collect();
        let labels =
            |row: usize| soft.map_or(Vec::new(), |classes| floats[row * classes..(row + 1) * classes].to_vec());
        rows(batch).into_iter().enumerate().map(|(at, row)| (row, labels(at))).collect::<Vec<_>>()
    };
    made.iter().flat_map(with_labels).collect()
}

fn pixels(row: &Row) -> &[[u8; 3]] {
    row.image.as_chunks::<3>().0
}

/// The centre of a mosaic of images of one colour each: where the colour changes in the first row and column.
fn centre(row: &Row) -> (usize, usize) {
    let reds: Vec<u8> = pixels(row).iter().map(|pixel| pixel[0]).collect();
    let (width, height) = (WIDTH as usize, HEIGHT as usize);
    let x = (0..width).find(|x| reds[*x] != reds[0]).expect("another row");
    let y = (0..height).find(|y| reds[y * width] != reds[0]).expect("another row");
    for (place, red) in reds.iter().enumerate() {
        let corner = match (place % width < x, place / width < y) {
            (true, true) => reds[0],
            (false, true) => reds[width - 1],
            (true, false) => reds[(height - 1) * width],
            (false, false) => reds[height * width - 1],
        };
        assert_eq!(*red, corner, "the quadrants of {x}, {y} are rectangles");
    }
    (x, y)
}

fn corners(row: &Row) -> [u8; 4] {
    let (width, last) = (WIDTH as usize, (WIDTH * HEIGHT) as usize - 1);
    [0, width - 1, last + 1 - width, last].map(|place| pixels(row)[place][0] - 10)
}

#[test]
fn a_mosaic_is_four_rectangles_with_their_shares_of_the_label() {
    let spec = mixed(spec_of([], 24), mosaic());
    let mut seen = BTreeSet::new();
    for (row, label) in epochs(nothing, &spec, 6) {
        let (x, y) = centre(&row);
        assert!((12..28).contains(&x) && (9..21).contains(&y));
        let of = corners(&row);
        assert_eq!(BTreeSet::from(of).len(), 4, "four different rows: {of:?}");
        let (width, height) = (WIDTH as usize, HEIGHT as usize);
        let areas = [x * y, (width - x) * y, x * (height - y), (width - x) * (height - y)];
        let share = |class: u8| {
            let own = of.iter().zip(areas).filter(|(index, _)| **index % 2 == class).map(|(_, area)| area);
            (own.sum::<usize>() as f64 / (width * height) as f64) as f32
        };
        assert_eq!(label, [share(0), share(1)]);
        seen.insert((x, y));
    }
    assert!(seen.len() > 90, "{} centres of 144 rows", seen.len());
}

#[test]
fn boxes_masks_and_keypoints_of_a_mosaic_are_where_the_objects_are() {
    let spec = mixed(all_targets(spec_of([], 24)), mosaic());
    let mut cut = 0;
    for (row, _) in epochs(rectangle, &spec, 4) {
        let (x, y) = centre(&row);
        let classes: Vec<u8> = pixels(&row).iter().map(|pixel| u8::from(pixel[1] != 0)).collect();
        assert_eq!(row.mask, classes);
        let mut expected = Vec::new();
        for (own, (right, below)) in
            corners(&row).into_iter().zip([(false, false), (true, false), (false, true), (true, true)])
        {
            let marked = (0..WIDTH * HEIGHT).filter(|place| pixels(&row)[*place as usize][1] == 10 + own);
            let places: Vec<_> = marked.map(|place| (place % WIDTH, place / WIDTH)).collect();
            assert!(places.iter().all(|(px, py)| (*px as usize >= x) == right && (*py as usize >= y) == below));
            if !places.is_empty() {
                expected.push((hull(places.iter().copied()).map(|side| side as f32), i64::from(own % 3)));
                cut += usize::from(places.len() < 12 * 9);
            }
        }
        let found: Vec<_> = row.boxes.iter().copied().zip(row.labels.iter().copied()).collect();
        assert_eq!(found, expected, "the boxes are those of the colours, in the order of the quadrants");
        assert_eq!(row.keypoints.len(), 4);
        for ([px, py, visibility], quadrant) in row.keypoints.iter().zip(0..4) {
            let at = (*px >= 0.0 && *py >= 0.0 && *px < WIDTH as f32 && *py < HEIGHT as f32)
                .then(|| pixels(&row)[*py as usize * WIDTH as usize + *px as usize]);
            let own = corners(&row)[quadrant] + 10;
            assert_eq!(*visibility == 2.0, at == Some([own, own, 0]), "{px}, {py} marks an object that is seen");
        }
    }
    assert!(cut > 50, "only {cut} objects are cut");
}

#[test]
fn mosaics_are_as_often_as_asked_for_and_end_with_their_epoch() {
    let often = v1::mixing::Kind::Mosaic(v1::Mosaic { p: Some(0.25), ..Default::default() });
    let mut spec = mixed(spec_of([], 24), often);
    spec.mixing.as_mut().expect("mixed").off_from_epoch = Some(50);
    let one_colour = |row: &Row| pixels(row).iter().all(|pixel| pixel == &pixels(row)[0]);
    let rows = epochs(nothing, &spec, 52);
    let mixed = rows.iter().filter(|(row, _)| !one_colour(row)).count();
    // 1,200 rows; five standard deviations are 75.
    assert!((225..375).contains(&mixed), "{mixed} of 1200, expected 300");
    assert!(rows[1200..].iter().all(|(row, label)| one_colour(row) && label.iter().sum::<f32>() == 1.0));
}

#[test]
fn pasted_objects_bring_their_pixels_their_mask_and_their_box() {
    let spec = |targets: &[v1::Target]| {
        let targets = targets.iter().map(|target| (*target).into()).collect();
        mixed(v1::LoaderSpec { targets, ..spec_of([], 24) }, copy_paste(1.0, 10))
    };
    let (mut dropped, mut kept) = (0, 0);
    for (row, label) in epochs(disc, &spec(&[v1::Target::Boxes, v1::Target::Mask]), 4) {
        assert!(label.is_empty(), "labels stay classes");
        let classes: Vec<u8> = pixels(&row).iter().map(|pixel| u8::from(pixel[1] != 0)).collect();
        assert_eq!(row.mask, classes);
        let background = pixels(&row).iter().find(|pixel| pixel[1] == 0).expect("some is left")[0] - 10;
        let objects: BTreeSet<u8> =
            pixels(&row).iter().filter(|pixel| pixel[1] != 0).map(|pixel| pixel[1] - 10).collect();
        let partner = *objects.iter().find(|index| **index != background).expect("another row's object");
        let box_of = |index: u8| {
            let places = (0..WIDTH * HEIGHT).map(|place| (place % WIDTH, place / WIDTH));
            hull(places.filter(|(x, y)| disc(u32::from(index), *x, *y) != 0)).map(|side| side as f32)
        };
        for (place, pixel) in (0..).zip(pixels(&row)) {
            let shows = |index: u8| disc(u32::from(index), place % WIDTH, place / WIDTH) != 0;
            let expected = match (shows(partner), shows(background)) {
                (true, _) => [10 + partner; 2],
                (false, true) => [10 + background; 2],
                (false, false) => [10 + background, 0],
            };
            assert_eq!(pixel[..2], expected);
        }
        let own = if row.boxes.len() == 2 { vec![box_of(background)] } else { Vec::new() };
        (dropped, kept) = (dropped + usize::from(own.is_empty()), kept + own.len());
        assert_eq!(row.boxes, [own, vec![box_of(partner)]].concat(), "boxes are whole, the row's own first");
    }
    // A disc covers no other disc's whole box.
    assert_eq!((dropped, kept), (0, 96));
    let rectangles = epochs(rectangle, &spec(&[v1::Target::Boxes]), 4);
    assert!(rectangles.iter().all(|(row, _)| row.boxes.len() == 2 && row.mask.is_empty()));
}

#[test]
fn boxes_that_pasted_objects_cover_go_by_their_visibility() {
    let spec = |min_visibility| {
        let box_rules = Some(v1::BoxRules { min_visibility, ..Default::default() });
        let targets = vec![v1::Target::Boxes.into()];
        mixed(v1::LoaderSpec { targets, box_rules, ..spec_of([], 24) }, copy_paste(1.0, 1))
    };
    for min_visibility in [0.3, 0.7] {
        let (mut dropped, mut kept) = (0, 0);
        for (row, _) in epochs(rectangle, &spec(min_visibility), 4) {
            // All of the partner's box is object: the background that is seen is the row's own.
            let own = pixels(&row).iter().find(|pixel| pixel[1] == 0).expect("some is left")[0];
            let left = pixels(&row).iter().filter(|pixel| pixel[1] == own).count();
            let stays = left > 0 && left as f64 / (12.0 * 9.0) >= min_visibility;
            assert_eq!(row.boxes.len(), 1 + usize::from(stays), "{left} pixels are left");
            (dropped, kept) = (dropped + usize::from(!stays), kept + usize::from(stays));
        }
        assert!(dropped > 0 && kept > 20, "{dropped} dropped and {kept} kept");
    }
}

#[test]
fn objects_need_boxes_and_no_keypoints() {
    let engine = engine(dataset_of((0..4).map(|index| coloured(index, rectangle))), 1);
    let refused = |targets: &[v1::Target]| {
        let targets = targets.iter().map(|target| (*target).into()).collect();
        let spec = mixed(v1::LoaderSpec { targets, ..spec_of([], 4) }, copy_paste(0.5, 1));
        engine.resolve(&spec, &rank(0, 1), &bytes(from(0, 0, 1))).err().map(|error| error.to_string())
    };
    let says = |targets: &[v1::Target], text: &str| {
        let error = refused(targets).expect("refused");
        assert!(error.contains(text), "{error}");
    };
    says(&[v1::Target::Mask], "spec.targets has no boxes beside spec.mixing.copy_paste");
    says(&[v1::Target::Boxes, v1::Target::Keypoints], "spec.targets has keypoints beside spec.mixing.copy_paste");
    assert_eq!(refused(&[v1::Target::Boxes]), None);
}
