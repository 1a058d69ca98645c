//! Promise: every op of the catalogue gives the same bytes at every level of vector instructions and on any number of threads, replays
//! what it recorded, and meets any image with a refusal or a sound result; and the command line shows what there is.

#[path = "common/process.rs"]
mod process;

#[path = "catalogue/commands.rs"]
mod commands;

#[path = "catalogue/views.rs"]
mod views;

use feedline::augment::{Pipeline, Recorded, Scratch, catalogue};
use feedline::image::{Depth, Form, Image, Pixels, Size};
use feedline::sample::{BoundingBox, Keypoint, Mask, Sample};
use feedline::seed::{Key, Purpose};
use feedline::simd::{self, Level};
use feedline_proto::{rule, v1};

/// Rows that every op is tried on.
const ROWS: u64 = 6;

#[test]
fn every_op_gives_the_same_bytes_at_every_level_and_on_any_number_of_threads() {
    let form = catalogue::EXAMPLE_FORM;
    for name in catalogue::names() {
        let pipeline = build(name, form).unwrap_or_else(|refusal| panic!("{name}: {refusal}"));
        let rows = |pipeline: &Pipeline| -> Vec<Sample<'static>> {
            let mut scratch = Scratch::default();
            (0..ROWS).map(|row| owned(pipeline.run(sample(form, form.largest), key(row), &mut scratch))).collect()
        };
        let mut expected: Option<Vec<Sample<'static>>> = None;
        for level in Level::available() {
            simd::limit(level);
            let found = rows(&pipeline);
            let expected = expected.get_or_insert_with(|| found.clone());
            assert!(*expected == found, "{name} depends on the level: {level:?} differs from the baseline");
        }
        simd::limit(Level::Avx512);
        let of_threads: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(|| rows(&pipeline))).collect();
            threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
        });
        assert!(of_threads.iter().all(|found| Some(found) == expected.as_ref()), "{name} depends on the thread");
    }
}

#[test]
fn every_op_replays_what_it_recorded_even_after_a_trip_through_text() {
    let form = catalogue::EXAMPLE_FORM;
    let mut scratch = Scratch::default();
    for name in catalogue::names() {
        let pipeline = build(name, form).unwrap_or_else(|refusal| panic!("{name}: {refusal}"));
        for row in 0..ROWS {
            let (made, record) = pipeline.run_recorded(sample(form, form.largest), key(row), &mut scratch);
            let text = serde_json::to_string(&record).expect("JSON");
            let read: Vec<Recorded> = serde_json::from_str(&text).expect(&text);
            let replayed = pipeline.replay(sample(form, form.largest), &read, &mut scratch);
            let replayed = replayed.unwrap_or_else(|refusal| panic!("{name}, {text}: {refusal}"));
            assert!(made == replayed, "{name}: its record gives another sample: {text}");
        }
    }
}

#[test]
fn every_op_refuses_an_image_when_it_is_built_or_makes_a_sound_one_of_it() {
    let mut scratch = Scratch::default();
    let sides = [(1, 1), (1, 17), (17, 1), (2, 3), (40, 30)];
    let depths =
        [Depth::U8, Depth::F32 { full: Some(1.0) }, Depth::F32 { full: Some(255.0) }, Depth::F32 { full: None }];
    for name in catalogue::names() {
        let mut built = 0;
        for (width, height) in sides {
            for (channels, depth) in [1, 3].into_iter().flat_map(|channels| depths.map(|depth| (channels, depth))) {
                let size = Size::new(width, height);
                let form = Form { smallest: size, largest: size, channels, depth };
                match build(name, form) {
                    Err(refusal) => {
                        let whole = !refusal.field.is_empty() && !refusal.expected.is_empty();
                        assert!(whole && refusal.field.starts_with("pipeline.ops["), "{name}: {refusal:?}");
                    }
                    Ok(pipeline) => {
                        built += 1;
                        for row in 0..ROWS {
                            let made = pipeline.run(sample(form, size), key(row), &mut scratch);
                            sound(&pipeline, &made).unwrap_or_else(|what| panic!("{name} on {form:?}: {what}"));
                        }
                    }
                }
            }
        }
        let crop = name.contains("crop");
        assert!(built > 0 || crop, "{name} takes none of these images");
    }
}

/// Whether a sample is as its pipeline announced, of finite values, and its mask of its size.
fn sound(pipeline: &Pipeline, sample: &Sample<'_>) -> Result<(), String> {
    let (form, image) = (pipeline.output(), &sample.image);
    let size = image.size();
    let fits = |side: fn(Size) -> u32| (side(form.smallest)..=side(form.largest)).contains(&side(size));
    if !(fits(|size| size.width) && fits(|size| size.height)) || image.channels() != form.channels {
        return Err(format!("{form:?} was announced, {size} of {} channels came", image.channels()));
    }
    if image.as_u8().is_some() != (form.depth == Depth::U8) {
        return Err(format!("{:?} was announced, another type came", form.depth));
    }
    if let Some(x) = image.as_f32().and_then(|values| values.iter().find(|x| !x.is_finite())) {
        return Err(format!("there is a {x}"));
    }
    if let Some(mask) = sample.masks.iter().find(|mask| mask.size != size) {
        return Err(format!("the image is {size}, its mask {}", mask.size));
    }
    let places = sample.boxes.iter().flat_map(|b| [b.x_min, b.y_min, b.x_max, b.y_max]);
    let places = places.chain(sample.keypoints.iter().flat_map(|point| [point.x, point.y]));
    match places.into_iter().find(|x| !x.is_finite()) {
        Some(x) => Err(format!("a box or keypoint is at {x}")),
        None => Ok(()),
    }
}

/// The example of an op for images of `form`, and an op after it that does nothing, so that none is left to the tail.
fn build(name: &str, form: Form) -> Result<Pipeline, feedline::augment::Refusal> {
    let mut pipeline = catalogue::pipeline(name).expect("every op has an example");
    let flip = v1::op::Op::HorizontalFlip(v1::HorizontalFlip { p: Some(0.0) });
    pipeline.ops.push(v1::Op { op: Some(flip) });
    Pipeline::build(&rule::with_defaults(&pipeline), form)
}

fn key(position: u64) -> Key {
    Key { seed: 3, epoch: 1, position, view: 0, op: 0, purpose: Purpose::Op }
}

/// A sample with noise over a gradient, a box, a mask and keypoints.
fn sample(form: Form, size: Size) -> Sample<'static> {
    let count = size.area() * form.channels as u64;
    let byte = |i: u64| ((i / 7) as u8).wrapping_add((i.wrapping_mul(2_654_435_761) >> 11) as u8 & 63);
    let floats = |scale: f32, shift: f32| (0..count).map(|i| f32::from(byte(i)) * scale + shift).collect();
    let image = match form.depth {
        Depth::U8 => Image::from_u8(size, form.channels, (0..count).map(byte).collect::<Vec<u8>>()),
        Depth::F32 { full: Some(full) } => Image::from_f32(size, form.channels, floats(full / 255.0, 0.0)),
        Depth::F32 { full: None } => Image::from_f32(size, form.channels, floats(1.0 / 60.0, -2.0)),
    };
    let mut sample = Sample::new(image, 1);
    let (width, height) = (f64::from(size.width), f64::from(size.height));
    sample.boxes = vec![BoundingBox { x_min: 0.0, y_min: height / 4.0, x_max: width / 2.0, y_max: height, label: 2 }];
    sample.keypoints = vec![Keypoint::new(0.0, 0.0), Keypoint::new(width - 1.0, (height - 1.0) / 2.0)];
    sample.masks = vec![Mask { size, classes: (0..size.area()).map(|i| (i % 5) as u8).collect() }];
    sample
}

fn owned(sample: Sample<'_>) -> Sample<'static> {
    let Sample { image, label, boxes, masks, keypoints, rules } = sample;
    let (size, channels) = (image.size(), image.channels());
    let image = match image.into_pixels() {
        Pixels::U8(values) => Image::from_u8(size, channels, values.into_owned()),
        Pixels::F32(values) => Image::from_f32(size, channels, values),
    };
    Sample { image, label, boxes, masks, keypoints, rules }
}
