//! Every op equals the function of the library that it names, within the stated tolerance. Each folder
//! `tests/data/golden/<op>/<case>` holds an input, a pipeline and what the real library made of that input (`case.json`,
//! `input.npy`, `expected.npy`, written by `tests/golden/make_*.py`); adding a folder adds a test.

use std::fs;
use std::path::{Path, PathBuf};

use feedline::augment::{Pipeline, Recorded, Scratch};
use feedline::image::{Depth, Form, Image, Pixels, Size};
use feedline::sample::Sample;
use feedline::seed::{Key, Purpose};
use feedline_proto::{rule, v1};

#[path = "golden/npy.rs"]
mod npy;

/// `case.json`.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    /// Library and version that made `expected.npy`.
    producer: String,
    /// As the contract spells it.
    pipeline: v1::Pipeline,
    /// Value of full brightness of an input of floats; none if it has no meaning.
    full: Option<f32>,
    /// Largest difference of a value.
    tolerance: f64,
    /// Largest mean of the differences.
    mean_tolerance: Option<f64>,
    /// Fraction of the values that may differ by more than `tolerance`.
    #[serde(default)]
    share: f64,
    /// Parameters to replay instead of drawing some.
    params: Option<Vec<Recorded>>,
}

#[test]
fn every_op_equals_the_library_that_it_names() {
    let folders = folders();
    assert!(!folders.is_empty(), "no golden cases: is {} complete?", root().display());
    let mut failures = Vec::new();
    for folder in &folders {
        if let Err(what) = check(folder) {
            failures.push(format!("{}: {what}", folder.strip_prefix(root()).unwrap_or(folder).display()));
        }
    }
    assert!(failures.is_empty(), "{} of {} cases differ:\n{}", failures.len(), folders.len(), failures.join("\n"));
}

fn check(folder: &Path) -> Result<(), String> {
    let text = fs::read_to_string(folder.join("case.json")).map_err(|error| format!("case.json: {error}"))?;
    let case: Case = serde_json::from_str(&text).map_err(|error| format!("case.json: {error}"))?;
    let (input, expected) = (npy::read(&folder.join("input.npy"))?, npy::read(&folder.join("expected.npy"))?);
    rule::check(&case.pipeline)
        .map_err(|found| found.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))?;
    let found = made(&case, &input)?;
    let of = |what: String| format!("{what} (expected: {})", case.producer);
    if found.shape != expected.shape || found.values.dtype() != expected.values.dtype() {
        let shown = |array: &npy::Array| format!("{:?} of {}", array.shape, array.values.dtype());
        return Err(of(format!("{}, not {}", shown(&found), shown(&expected))));
    }
    compare(&case, &found, &expected).map_err(of)
}

/// What feedline makes of the input.
fn made(case: &Case, input: &npy::Array) -> Result<npy::Array, String> {
    let [height, width, channels] = input.shape;
    let size = Size::new(side(width)?, side(height)?);
    let (image, depth) = match &input.values {
        npy::Values::U8(values) => (Image::from_u8(size, channels, values.clone()), Depth::U8),
        npy::Values::F32(values) => (Image::from_f32(size, channels, values.clone()), Depth::F32 { full: case.full }),
    };
    let form = Form { smallest: size, largest: size, channels, depth };
    let pipeline = Pipeline::build(&rule::with_defaults(&case.pipeline), form).map_err(|r| r.to_string())?;
    let sample = Sample::new(image, 0);
    let mut scratch = Scratch::default();
    let made = match &case.params {
        Some(params) => pipeline.replay(sample, params, &mut scratch).map_err(|r| r.to_string())?,
        None => {
            let key = Key { seed: 0, epoch: 0, position: 0, view: 0, op: 0, purpose: Purpose::Op };
            let (made, record) = pipeline.run_recorded(sample.clone(), key, &mut scratch);
            let replayed = pipeline.replay(sample, &record, &mut scratch).map_err(|r| r.to_string())?;
            if made != replayed {
                return Err("its own record, replayed, gives another image".into());
            }
            made
        }
    };
    within(pipeline.output(), &made.image)?;
    Ok(tailed(&pipeline, made.image))
}

/// The image with the tail that the pipeline left undone.
fn tailed(pipeline: &Pipeline, image: Image<'_>) -> npy::Array {
    let (size, channels) = (image.size(), image.channels());
    let shape = [size.height as usize, size.width as usize, channels];
    let values = match (image.into_pixels(), pipeline.tail()) {
        (Pixels::U8(values), Some(tail)) => {
            let value = |(index, x): (usize, &u8)| tail.table(index % channels)[usize::from(*x)];
            npy::Values::F32(values.iter().enumerate().map(value).collect())
        }
        (Pixels::U8(values), None) => npy::Values::U8(values.into_owned()),
        (Pixels::F32(values), _) => npy::Values::F32(values),
    };
    npy::Array { shape, values }
}

/// Whether the image is what the pipeline had said of it before there was one.
fn within(form: Form, image: &Image<'_>) -> Result<(), String> {
    let (size, smallest, largest) = (image.size(), form.smallest, form.largest);
    let fits = |x: u32, low: u32, high: u32| (low..=high).contains(&x);
    let sized = fits(size.width, smallest.width, largest.width) && fits(size.height, smallest.height, largest.height);
    let typed = image.channels() == form.channels && image.as_u8().is_some() == (form.depth == Depth::U8);
    if sized && typed { Ok(()) } else { Err(format!("the pipeline announced {form:?}, and made {size}")) }
}

fn compare(case: &Case, found: &npy::Array, expected: &npy::Array) -> Result<(), String> {
    let (found, expected) = (found.values.as_f64(), expected.values.as_f64());
    // Equal infinities differ by nothing; a NaN differs from everything, without end.
    let difference = |(a, b): (&f64, &f64)| match (a - b).abs() {
        _ if a == b => 0.0,
        difference if difference.is_nan() => f64::INFINITY,
        difference => difference,
    };
    let differences: Vec<f64> = found.iter().zip(&expected).map(difference).collect();
    let over = differences.iter().filter(|x| **x > case.tolerance).count();
    let mean = differences.iter().sum::<f64>() / differences.len().max(1) as f64;
    if over as f64 > case.share * differences.len() as f64 {
        let worst = (0..differences.len()).max_by(|a, b| differences[*a].total_cmp(&differences[*b])).unwrap_or(0);
        return Err(format!(
            "{over} of {} values differ by more than {}, the worst at {worst}: {}, not {}",
            differences.len(),
            case.tolerance,
            found[worst],
            expected[worst],
        ));
    }
    match case.mean_tolerance {
        Some(most) if mean > most => Err(format!("values differ by {mean} in the mean, more than {most}")),
        _ => Ok(()),
    }
}

fn side(length: usize) -> Result<u32, String> {
    u32::try_from(length).map_err(|error| error.to_string())
}

/// Every folder that has a `case.json`, sorted.
fn folders() -> Vec<PathBuf> {
    let inside = |folder: &Path| -> Vec<PathBuf> {
        let entries = fs::read_dir(folder).map(|entries| entries.flatten().map(|entry| entry.path()).collect());
        let mut entries: Vec<PathBuf> = entries.unwrap_or_default();
        entries.sort();
        entries
    };
    let ops = inside(&root());
    ops.iter().flat_map(|op| inside(op)).filter(|case| case.join("case.json").is_file()).collect()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/golden")
}
