//! JPEG files decode at a fraction of their size, and windows of them are resized, to the pixels that Pillow makes of them.

use std::path::{Path, PathBuf};

use feedline::augment::{Pipeline, Scratch};
use feedline::decode::{Decoder, Limits};
use feedline::image::{Depth, Excerpt, Form, Image, Size, Window};
use feedline::sample::Sample;
use feedline::seed::{Key, Purpose};
use feedline_proto::{rule, v1};
use serde::Deserialize;

use super::npy;

fn data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data")
}

#[test]
fn every_good_jpeg_file_decodes_at_a_fraction_of_its_size_to_the_pixels_of_pillow() {
    let mut decoder = Decoder::new(Limits::default());
    let (mut pixels, mut compared) = (Vec::new(), 0);
    for entry in std::fs::read_dir(data().join("reduced")).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        let Some((file, fraction)) = name.strip_suffix(".npy").and_then(|name| name.rsplit_once('.')) else { continue };
        let reduction = match fraction {
            "half" => 2,
            "quarter" => 4,
            "eighth" => 8,
            other => panic!("{name}: a fraction called {other}"),
        };
        let array = npy::read(&path).unwrap_or_else(|error| panic!("{name}: {error}"));
        let npy::Values::U8(expected) = array.values else { panic!("{name}: not of 8 bits") };
        let bytes = std::fs::read(data().join("good").join(file)).expect("the file");
        let whole = |size| Some(Excerpt { window: Window { x: 0, y: 0, size }, reduction });
        let (info, excerpt) = decoder.decode_excerpt(&bytes, whole, true, &mut pixels).expect("a good file");
        let made = excerpt.expect("it is reduced").pixels().size;
        assert_eq!(
            made,
            Size::new(info.size.width.div_ceil(reduction), info.size.height.div_ceil(reduction)),
            "{name}"
        );
        assert_eq!([made.height as usize, made.width as usize, 3], array.shape, "{name}");
        assert!(pixels == expected, "{name}: other pixels than Pillow's");
        compared += 1;
    }
    assert!(compared > 60, "{compared} files: all kinds at three fractions were due");
}

/// A case of `resized.json`, which `make_reduced.py` describes.
#[derive(Deserialize)]
struct Case {
    file: String,
    reduction: u32,
    /// Left, top, width and height.
    window: [u32; 4],
    /// Width and height.
    size: [u32; 2],
    filter: String,
    pixels: Vec<u8>,
}

#[test]
fn windows_of_reduced_images_are_resized_to_the_pixels_of_pillow() {
    let cases = std::fs::read(data().join("reduced/resized.json")).expect("cases");
    let cases: Vec<Case> = serde_json::from_slice(&cases).expect("what make_reduced.py writes");
    let (mut decoder, mut pixels) = (Decoder::new(Limits::default()), Vec::new());
    assert!(cases.len() > 30, "{} cases", cases.len());
    for Case {
        file,
        reduction,
        window: [x, y, width, height],
        size: [to_width, to_height],
        filter,
        pixels: expected,
    } in cases
    {
        let excerpt = Excerpt { window: Window { x, y, size: Size::new(width, height) }, reduction };
        let bytes = std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(&file)).expect("a photograph");
        let (info, made) = decoder.decode_excerpt(&bytes, |_| Some(excerpt), false, &mut pixels).expect("a sound file");
        assert_eq!(made, Some(excerpt));

        let op = format!("random_resized_crop = {{ height = {to_height}, width = {to_width}, filter = \"{filter}\" }}");
        let op: v1::Op = toml::from_str(&op).unwrap_or_else(|error| panic!("{op}: {error}"));
        let pipeline = rule::with_defaults(&v1::Pipeline { ops: vec![op], ..Default::default() });
        let form = Form { smallest: info.size, largest: info.size, channels: 3, depth: Depth::U8 };
        let pipeline = Pipeline::build(&pipeline, form).expect("an op");
        let image = Image::from_u8(excerpt.pixels().size, 3, pixels.as_slice());
        let key = Key { seed: 0, epoch: 0, position: 0, view: 0, op: 0, purpose: Purpose::Op };
        let sample = pipeline.run_on_excerpt(Sample::new(image, 0), excerpt, key, &mut Scratch::default());
        let found = sample.image.as_u8().expect("8 bits");
        let furthest = found.iter().zip(&expected).map(|(a, b)| a.abs_diff(*b)).max();
        assert_eq!(found.len(), expected.len());
        assert_eq!(furthest, Some(0), "{file} by {reduction}, {filter}");
    }
}
