//! `docs/ops/<op>.jpg`: what every op does to one photograph, made with the example of its file. And what else an op must have.

use std::collections::BTreeSet;
use std::fs;

use feedline::augment::{Pipeline, Scratch, catalogue, scaled_to_look_at};
use feedline::decode::{Decoder, Limits};
use feedline::image::{Image, Pixels, Size};
use feedline::sample::Sample;
use feedline::seed::{Key, Purpose};
use feedline_proto::rule;
use libjpeg_turbo_rs::{PixelFormat, Subsampling, compress_optimized};

use super::ops::source;

/// Ops without golden cases, with the reason.
const NO_GOLDEN: [(&str, &str); 1] = [("onnx", "tests/onnx.rs compares it, on models and cases of tests/data/onnx")];

/// The photograph.
const PHOTOGRAPH: &str = "astronaut/00.jpg";
/// Side of the square that original and result each are shown in, in pixels.
const TILE: u32 = 176;
/// White between the two.
const GAP: u32 = 8;
/// Bytes of a picture.
const MOST_BYTES: usize = 12_000;
/// Qualities that are tried, until the picture is small enough.
const QUALITIES: [u8; 10] = [90, 85, 80, 75, 70, 60, 50, 40, 30, 20];

#[test]
fn every_op_has_a_picture_that_shows_what_it_does_now() {
    let folder = source("docs/ops");
    let write = std::env::var_os("FEEDLINE_WRITE_DOCS").is_some();
    if write && cfg!(feature = "onnx") {
        let _ = fs::remove_dir_all(&folder);
    }
    if write {
        fs::create_dir_all(&folder).expect("writable");
    }
    let original = photograph();
    let mut stale = Vec::new();
    let mut total = 0;
    for name in catalogue::names() {
        let picture = picture(name, &original);
        assert!(picture.len() <= MOST_BYTES, "the picture of {name} has {} bytes", picture.len());
        total += picture.len();
        let path = folder.join(format!("{name}.jpg"));
        if write {
            fs::write(&path, &picture).expect("writable");
        }
        if fs::read(&path).ok().as_deref() != Some(&picture) {
            stale.push(name);
        }
    }
    assert!(
        stale.is_empty(),
        "docs/ops does not show what these do now: {stale:?}; run this test with FEEDLINE_WRITE_DOCS=1 and commit the folder"
    );
    assert!(total <= 1_000_000, "all pictures together have {total} bytes");
    // Also those of ops that this build leaves out.
    let ops = catalogue::all().iter().map(|(_, op)| &op.name).filter(|name| catalogue::entry(name).is_some());
    let known: BTreeSet<String> = ops.map(|name| format!("{name}.jpg")).collect();
    let files = fs::read_dir(&folder).expect("there").map(|entry| entry.expect("readable").file_name());
    let others: Vec<_> = files.filter(|name| !name.to_str().is_some_and(|name| known.contains(name))).collect();
    assert!(others.is_empty(), "pictures of ops that are no more: {others:?}");
}

#[test]
fn every_op_says_what_it_equals_and_is_compared_with_it() {
    let golden = source("tests/data/golden");
    let has_cases = |name: &str| golden.join(name).join("cases.json").is_file();
    for name in catalogue::names() {
        let entry = catalogue::entry(name).expect("an op");
        assert!(!entry.equals.trim().is_empty(), "{name} has no reference");
        let excused = NO_GOLDEN.iter().any(|(excused, _)| *excused == name);
        assert!(has_cases(name) || excused, "{name} has no golden case");
        assert!(!(has_cases(name) && excused), "{name} has golden cases, and is excused from having some");
    }
    for (name, reason) in NO_GOLDEN {
        assert!(catalogue::entry(name).is_some() && !reason.is_empty(), "{name} is no op, or excused without a reason");
    }
}

/// The photograph at the size that examples are for.
fn photograph() -> Image<'static> {
    let (_, jpeg) = feedline::demo::photographs().find(|(name, _)| *name == PHOTOGRAPH).expect("bundled");
    let decoded = Decoder::new(Limits::default()).decode(jpeg).expect("sound");
    let image = Image::from_u8(decoded.size, 3, decoded.pixels);
    scaled_to_look_at(image, catalogue::EXAMPLE_FORM.largest, &mut Scratch::default())
}

/// The photograph beside what the op makes of it, as a JPEG file.
fn picture(name: &str, original: &Image<'static>) -> Vec<u8> {
    let pipeline = catalogue::pipeline(name).expect("every op has an example");
    let pipeline = Pipeline::build(&rule::with_defaults(&pipeline), catalogue::EXAMPLE_FORM).expect("which builds");
    let made = |position| {
        let key = Key { seed: 1, epoch: 0, position, view: 0, op: 0, purpose: Purpose::Op };
        let sample = pipeline.run(Sample::new(original.clone(), 0), key, &mut Scratch::default());
        visible(&pipeline, sample.image)
    };
    // An op that is applied by chance is shown applied.
    let shows = |image: &Image<'_>| *image != *original;
    let result = (0..64).map(made).find(shows).unwrap_or_else(|| made(0));
    let side = |size: Size| size.width.max(size.height);
    let longest = side(original.size()).max(side(result.size()));
    let size = Size::new(2 * TILE + GAP, TILE);
    let mut canvas = vec![255; size.area() as usize * 3];
    for (image, left) in [(original.clone(), 0), (result, TILE + GAP)] {
        place(&mut canvas, size.width, image, left, longest);
    }
    let encode = |quality| {
        let (width, height) = (size.width as usize, size.height as usize);
        compress_optimized(&canvas, width, height, PixelFormat::Rgb, quality, Subsampling::S420).expect("encodes")
    };
    let mut files = QUALITIES.into_iter().map(encode);
    files.find(|file| file.len() <= MOST_BYTES).unwrap_or_else(|| encode(1))
}

/// Draws an image in the middle of the square at `left`, at the scale at which `longest` pixels fill it.
fn place(canvas: &mut [u8], width: u32, image: Image<'_>, left: u32, longest: u32) {
    let scaled = |side: u32| (side * TILE / longest).max(1);
    let size = Size::new(scaled(image.size().width), scaled(image.size().height));
    let image = scaled_to_look_at(image, size, &mut Scratch::default());
    let pixels = image.as_u8().expect("an image of 8 bits stays one");
    let (x, y) = (left + (TILE - size.width) / 2, (TILE - size.height) / 2);
    for (row, line) in (y..).zip(pixels.chunks_exact(size.width as usize * 3)) {
        let at = (row * width + x) as usize * 3;
        canvas[at..at + line.len()].copy_from_slice(line);
    }
}

/// An image of three channels of 8 bits: floats from the smallest value to the largest, since their scale is not of the eye.
fn visible(pipeline: &Pipeline, image: Image<'_>) -> Image<'static> {
    let (size, channels) = (image.size(), image.channels());
    let spread = |values: &[f32]| -> Vec<u8> {
        let (low, high) = values.iter().fold((f32::MAX, f32::MIN), |(low, high), x| (low.min(*x), high.max(*x)));
        let scale = 255.0 / (high - low).max(f32::MIN_POSITIVE);
        values.iter().map(|x| ((x - low) * scale).round() as u8).collect()
    };
    let values = match (image.into_pixels(), pipeline.tail()) {
        (Pixels::U8(values), None) => values.into_owned(),
        (Pixels::U8(values), Some(tail)) => {
            let float = |(index, x): (usize, &u8)| tail.table(index % channels)[usize::from(*x)];
            spread(&values.iter().enumerate().map(float).collect::<Vec<_>>())
        }
        (Pixels::F32(values), _) => spread(&values),
    };
    let values = if channels == 1 { values.into_iter().flat_map(|x| [x; 3]).collect() } else { values };
    Image::from_u8(size, 3, values)
}
