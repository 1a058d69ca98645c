//! What holds for every op of this family, with the parameters of its example.

use feedline_proto::{rule, v1};

use crate::augment::{Pipeline, Recorded, Scratch, catalogue};
use crate::image::{Depth, Excerpt, Form, Image, Pixels, Size};
use crate::sample::{BoundingBox, Keypoint, Mask, Sample};
use crate::seed::{Key, Purpose};
use crate::simd::{self, Level};

const SIZE: Size = Size::new(61, 47);

/// Name and example of every op of the family that builds for `SIZE`.
fn examples() -> impl Iterator<Item = (&'static str, v1::Op)> {
    catalogue::names().filter(|name| catalogue::entry(name).is_some_and(|entry| entry.family == "geometry")).map(
        |name| {
            let example = catalogue::entry(name).expect("an op").example;
            (name, toml::from_str(example).unwrap_or_else(|error| panic!("{example}: {error}")))
        },
    )
}

fn built(op: v1::Op, channels: usize, depth: Depth) -> Option<Pipeline> {
    let pipeline = rule::with_defaults(&v1::Pipeline { ops: vec![op], ..Default::default() });
    Pipeline::build(&pipeline, Form { smallest: SIZE, largest: SIZE, channels, depth }).ok()
}

fn key(position: u64) -> Key {
    Key { seed: 5, epoch: 0, position, view: 0, op: 0, purpose: Purpose::Op }
}

/// Noise with boxes, keypoints and a mask.
fn sample(channels: usize, depth: Depth) -> Sample<'static> {
    let mut rng = key(0).rng();
    let values: Vec<u8> = (0..SIZE.area() as usize * channels).map(|_| rng.below(256) as u8).collect();
    let image = match depth {
        Depth::U8 => Image::from_u8(SIZE, channels, values),
        Depth::F32 { .. } => {
            Image::from_f32(SIZE, channels, values.into_iter().map(|x| f32::from(x) / 255.0).collect())
        }
    };
    let boxes = vec![
        BoundingBox { x_min: 10.0, y_min: 8.0, x_max: 40.0, y_max: 30.0, label: 1 },
        BoundingBox { x_min: 30.0, y_min: 20.0, x_max: 55.5, y_max: 44.25, label: 2 },
    ];
    let classes = (0..SIZE.area()).map(|at| (at / 7 % 5) as u8).collect();
    let keypoints = vec![Keypoint::new(12.0, 9.0), Keypoint::new(0.0, 46.0)];
    Sample { boxes, masks: vec![Mask { size: SIZE, classes }], keypoints, ..Sample::new(image, 3) }
}

const KINDS: [(usize, Depth); 4] =
    [(3, Depth::U8), (1, Depth::U8), (3, Depth::F32 { full: Some(1.0) }), (1, Depth::F32 { full: Some(1.0) })];

#[test]
fn every_level_of_vector_instructions_makes_the_same_bytes() {
    for (name, op) in examples() {
        for (channels, depth) in KINDS {
            let Some(pipeline) = built(op.clone(), channels, depth) else { continue };
            for position in 0..3 {
                let made = Level::available().map(|level| {
                    simd::limit(level);
                    pipeline.run(sample(channels, depth), key(position), &mut Scratch::default())
                });
                let made: Vec<Sample<'_>> = made.collect();
                simd::limit(Level::Avx512);
                assert!(made.iter().all(|other| *other == made[0]), "{name} of {channels} channels of {depth:?}");
            }
        }
    }
}

#[test]
fn parameters_of_anything_are_refused_or_applied_within_bounds() {
    let numbers =
        ["0", "-1", "1", "0.5", "4294967295", "-9223372036854775808", "1e300", "-1e300", "1e-300", "null", "[]"];
    for (name, op) in examples() {
        let Some(pipeline) = built(op, 3, Depth::U8) else { continue };
        let (_, record) = pipeline.run_recorded(sample(3, Depth::U8), key(1), &mut Scratch::default());
        let Some(record) = record.into_iter().next() else { continue };
        for number in numbers {
            let number: serde_json::Value = serde_json::from_str(number).expect("JSON");
            let mut leaves = Vec::new();
            pointers(&record.params, String::new(), &mut leaves);
            // Each number for itself, then all of them.
            for chosen in leaves.iter().map(std::slice::from_ref).chain([&leaves[..]]) {
                let mut params = record.params.clone();
                for pointer in chosen {
                    if let Some(value) = params.pointer_mut(pointer) {
                        *value = number.clone();
                    }
                }
                let replayed = [Recorded { params: params.clone(), ..record.clone() }];
                let made = pipeline.replay(sample(3, Depth::U8), &replayed, &mut Scratch::default());
                let Ok(made) = made else { continue };
                let (size, largest) = (made.image.size(), pipeline.output().largest);
                let bounds = Size::new(largest.width.max(SIZE.width), largest.height.max(SIZE.height));
                assert!(size.width <= bounds.width && size.height <= bounds.height, "{name}: {size} by {params}");
                assert_eq!(made.masks.first().map(|mask| mask.size), Some(size), "{name} by {params}");
            }
        }
    }
}

/// Pointers to all numbers within `value`, and to itself if it is none.
fn pointers(value: &serde_json::Value, at: String, out: &mut Vec<String>) {
    match value {
        serde_json::Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, item)| pointers(item, format!("{at}/{index}"), out));
        }
        serde_json::Value::Object(fields) => {
            fields.iter().for_each(|(name, field)| pointers(field, format!("{at}/{name}"), out));
        }
        _ => out.push(at),
    }
}

#[test]
fn keypoints_boxes_and_mask_are_where_their_pixels_went() {
    // A bright square of 5 x 5 pixels on black, wide enough to survive every filter.
    let (left, top) = (28, 21);
    let inside = |at: u64| {
        let (x, y) = (at % u64::from(SIZE.width), at / u64::from(SIZE.width));
        (left..left + 5).contains(&x) && (top..top + 5).contains(&y)
    };
    let (left, top) = (left as f64, top as f64);
    for (name, op) in examples() {
        let Some(pipeline) = built(op, 1, Depth::U8) else { continue };
        let mut seen = 0;
        for position in 0..30 {
            let values: Vec<u8> = (0..SIZE.area()).map(|at| if inside(at) { 255 } else { 0 }).collect();
            let classes = values.iter().map(|x| x / 255).collect();
            let mut marked = Sample::new(Image::from_u8(SIZE, 1, values), 0);
            marked.boxes = vec![BoundingBox { x_min: left, y_min: top, x_max: left + 5.0, y_max: top + 5.0, label: 0 }];
            marked.keypoints = vec![Keypoint::new(left + 2.0, top + 2.0)];
            marked.masks = vec![Mask { size: SIZE, classes }];
            let made = pipeline.run(marked, key(position), &mut Scratch::default());
            let (image, mask) = (made.image.as_u8().expect("8 bits"), &made.masks[0]);
            let width = made.image.size().width as usize;
            assert_eq!(mask.size, made.image.size(), "{name}");
            // Only whole squares: from those that a mirrored or cut edge shows in part, nothing follows.
            let bright: Vec<(f64, f64)> = (0..image.len())
                .filter(|at| mask.classes[*at] == 1)
                .map(|at| ((at % width) as f64, (at / width) as f64))
                .collect();
            let b = made.boxes.first().copied();
            let Some(b) = b.filter(|b| {
                let size = made.image.size();
                b.x_min > 1.0
                    && b.y_min > 1.0
                    && b.x_max < f64::from(size.width) - 1.0
                    && b.y_max < f64::from(size.height) - 1.0
            }) else {
                continue;
            };
            // Padding may mirror the square: then the mask marks it twice.
            let near = |(x, y): &&(f64, f64)| {
                *x > b.x_min - 2.0 && *x < b.x_max + 1.0 && *y > b.y_min - 2.0 && *y < b.y_max + 1.0
            };
            let bright: Vec<(f64, f64)> = bright.iter().filter(near).copied().collect();
            if bright.is_empty() {
                continue;
            }
            seen += 1;
            let mean = |of: fn(&(f64, f64)) -> f64| bright.iter().map(of).sum::<f64>() / bright.len() as f64;
            let (x, y) = (mean(|p| p.0), mean(|p| p.1));
            // A cell of a grid that is stretched across the square moves its middle aside.
            let k = made.keypoints[0];
            assert!((k.x - x).abs() < 1.6 && (k.y - y).abs() < 1.6, "{name}: {k:?} is the middle ({x}, {y})");
            let fits = bright.iter().all(|(x, y)| {
                x + 0.5 > b.x_min - 0.8 && x + 0.5 < b.x_max + 0.8 && y + 0.5 > b.y_min - 0.8 && y + 0.5 < b.y_max + 0.8
            });
            assert!(fits, "{name}: {b:?} holds {bright:?}");
            let at = y.round() as usize * width + x.round() as usize;
            assert!(image[at] > 100, "{name}: the image is bright at ({x}, {y})");
        }
        assert!(seen > 0, "{name} never shows the square");
    }
}

#[test]
fn ops_that_cut_a_window_out_make_the_same_of_that_window_alone() {
    let examples = [
        "random_resized_crop = { height = 24, width = 20, scale = [0.02, 1] }",
        "random_sized_crop = { height = 12, width = 15, min_max_height = [5, 90] }",
        "random_sized_crop = { height = 24, width = 20, min_max_height = [5, 40], p = 0.5 }",
        "random_crop = { height = 24, width = 20 }",
        "random_crop = { height = 24, width = 20, padding = 4 }",
        "center_crop = { height = 24, width = 21 }",
        "fixed_crop = { height = 24, width = 20, x = 3, y = 1, corner = \"bottom_right\" }",
    ];
    let (mut cut, mut whole) = (0, 0);
    for example in examples {
        let first: v1::Op = toml::from_str(example).unwrap_or_else(|error| panic!("{example}: {error}"));
        let ops = vec![first, toml::from_str("horizontal_flip = {}").expect("an op")];
        let message = rule::with_defaults(&v1::Pipeline { ops, ..Default::default() });
        let form = Form { smallest: SIZE, largest: SIZE, channels: 3, depth: Depth::U8 };
        let pipeline = Pipeline::build(&message, form).unwrap_or_else(|error| panic!("{example}: {error}"));
        let image = sample(3, Depth::U8).image;
        for position in 0..40 {
            let expected = pipeline.run(Sample::new(image.borrowed(), 3), key(position), &mut Scratch::default());
            let Some(excerpt) = pipeline.excerpt(SIZE, key(position), false) else {
                whole += 1;
                continue;
            };
            cut += 1;
            let window = excerpt.window;
            let row = |y: u32| {
                let start = (y * SIZE.width + window.x) as usize * 3;
                &image.as_u8().expect("bytes")[start..start + window.size.width as usize * 3]
            };
            let pixels: Vec<u8> = (window.y..window.y + window.size.height).flat_map(row).copied().collect();
            let alone = Sample::new(Image::from_u8(window.size, 3, pixels), 3);
            let made = pipeline.run_on_excerpt(alone, excerpt, key(position), &mut Scratch::default());
            assert_eq!(made, expected, "{example} at {window:?}");
        }
    }
    assert!(cut > 150 && whole > 20, "{cut} windows and {whole} whole images: some of each were due");
}

/// A soft picture, wide enough to be reduced.
fn soft(size: Size) -> Image<'static> {
    let value =
        |x: u32, y: u32, channel: u32| [x * 255 / size.width, y * 255 / size.height, 128][channel as usize] as u8;
    let pixels = (0..size.height).flat_map(|y| (0..size.width).flat_map(move |x| [0, 1, 2].map(|c| value(x, y, c))));
    Image::from_u8(size, 3, pixels.collect::<Vec<u8>>())
}

/// The pixels of an excerpt, each the mean of those that it stands for.
fn reduced(image: &Image<'_>, excerpt: Excerpt) -> Image<'static> {
    let (by, size, values) = (excerpt.reduction, image.size(), image.as_u8().expect("8 bits"));
    let pixels = excerpt.pixels();
    let mean = |x: u32, y: u32, channel: usize| {
        let rows = (y * by..(y + 1) * by).map(|y| y.min(size.height - 1));
        let places = rows.flat_map(|y| (x * by..(x + 1) * by).map(move |x| (x.min(size.width - 1), y)));
        let sum: u32 = places.map(|(x, y)| u32::from(values[(y * size.width + x) as usize * 3 + channel])).sum();
        (sum / (by * by)) as u8
    };
    let rows = pixels.y..pixels.y + pixels.size.height;
    let values = rows.flat_map(|y| (pixels.x..pixels.x + pixels.size.width).map(move |x| (x, y)));
    let values = values.flat_map(|(x, y)| [0, 1, 2].map(|channel| mean(x, y, channel)));
    Image::from_u8(pixels.size, 3, values.collect::<Vec<u8>>())
}

#[test]
fn ops_that_resize_make_nearly_the_same_of_an_image_reduced_as_far_as_they_shrink_it() {
    let size = Size::new(403, 301);
    let image = soft(size);
    let form = Form { smallest: size, largest: size, channels: 3, depth: Depth::U8 };
    let mut reductions = [0; 9];
    for example in [
        "random_resized_crop = { height = 24, width = 20, scale = [0.02, 1] }",
        "random_resized_crop = { height = 24, width = 20, filter = \"nearest_exact\" }",
        "random_resized_crop = { height = 24, width = 20, filter = \"lanczos3\", antialias = false }",
        "random_sized_crop = { height = 30, width = 40, min_max_height = [30, 290], w2h_ratio = 1.3, p = 0.8 }",
        "resize = { height = 50, width = 70, antialias = false }",
        "resize = { shortest_edge = 75, output = \"float\", filter = \"bicubic\" }",
        "resize = { height = 301, width = 40 }",
        "smallest_max_size = { max_size = [30, 75, 150] }",
        "longest_max_size = { max_size = [30, 100, 200, 400] }",
    ] {
        let op: v1::Op = toml::from_str(example).unwrap_or_else(|error| panic!("{example}: {error}"));
        let message = rule::with_defaults(&v1::Pipeline { ops: vec![op], ..Default::default() });
        let pipeline = Pipeline::build(&message, form).unwrap_or_else(|error| panic!("{example}: {error}"));
        assert!(pipeline.may_reduce(), "{example}");
        for position in 0..30 {
            let Some(excerpt) = pipeline.excerpt(size, key(position), true) else { continue };
            let (by, window) = (excerpt.reduction, excerpt.window.size);
            let whole = pipeline.run(Sample::new(image.borrowed(), 3), key(position), &mut Scratch::default()).image;
            let to = whole.size();
            let fits = |by: u32| window.width / by >= to.width && window.height / by >= to.height;
            assert!(by == 1 || fits(by), "{example}: {window} by {by} has less than {to}");
            assert!(by == 8 || !fits(2 * by), "{example}: {window} by {by} is more than {to} needs");
            reductions[by as usize] += 1;
            let sample = Sample::new(reduced(&image, excerpt), 3);
            let made = pipeline.run_on_excerpt(sample, excerpt, key(position), &mut Scratch::default()).image;
            assert_eq!(made.size(), to, "{example}");
            let values = |image: &Image<'_>| match image.pixels() {
                Pixels::U8(values) => values.iter().map(|x| f32::from(*x)).collect::<Vec<_>>(),
                Pixels::F32(values) => values.clone(),
            };
            // At most the step from one reduced pixel to the next, and what rounding adds.
            let step = (by * 255).div_ceil(size.height) as f32 + 2.0;
            let furthest = values(&made).iter().zip(values(&whole)).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(furthest <= step, "{example} at {excerpt:?}: {furthest} levels away");
        }
    }
    assert!([1, 2, 4, 8].iter().all(|by| reductions[*by] > 5), "{reductions:?}: all fractions were due");
    for example in
        ["center_crop = { height = 24, width = 21 }", "horizontal_flip = {}", "random_crop = { height = 9, width = 9 }"]
    {
        let op: v1::Op = toml::from_str(example).unwrap_or_else(|error| panic!("{example}: {error}"));
        assert!(!built(op, 3, Depth::U8).expect("an op").may_reduce(), "{example}");
    }
}
