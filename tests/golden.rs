//! Every op equals the function of the library that it names, within the stated tolerance. Each case in
//! `tests/data/golden/<op>/cases.json` has an input, a pipeline and what the real library made of that input; `tests/golden/make_*.py`
//! write them, and adding one adds a test.

use std::fs;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use feedline::augment::resources::{Picture, Resources, Unavailable};
use feedline::augment::{Pipeline, Scratch};
use feedline::image::{Depth, Form, Image, Pixels, Size};
use feedline::sample::{BoundingBox, Keypoint, Mask, Sample};
use feedline::seed::{Key, Purpose};
use feedline_proto::rule;

#[path = "golden/cases.rs"]
mod cases;

#[path = "golden/deviations.rs"]
mod deviations;

#[path = "golden/npy.rs"]
mod npy;

#[path = "golden/reduced.rs"]
mod reduced;

use cases::{Annotations, Case};
use deviations::Deviation;

#[test]
fn every_op_equals_the_library_that_it_names() {
    let failures: Vec<&String> = checked().iter().filter_map(|found| found.as_ref().err()).collect();
    let shown = failures.iter().map(|what| what.as_str()).collect::<Vec<_>>().join("\n");
    assert!(failures.is_empty(), "{} of {} cases differ:\n{shown}", failures.len(), checked().len());
}

#[test]
fn every_array_belongs_to_a_case_and_every_case_to_a_script() {
    let cases = cases::all().expect("readable");
    let strays = cases::strays(&cases);
    assert!(strays.is_empty(), "no case has {strays:?}");
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let orphans = cases.iter().filter(|case| !scripts.join(&case.script).is_file());
    let orphans: Vec<&str> = orphans.map(|case| case.name.as_str()).collect();
    assert!(orphans.is_empty(), "nothing writes {orphans:?}");
}

#[test]
fn the_page_of_deviations_is_what_the_cases_say() {
    let found: Vec<Deviation> = checked().iter().filter_map(|found| found.clone().ok()).collect();
    let page = deviations::page(&found);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/deviations.md");
    if std::env::var_os("FEEDLINE_WRITE_DOCS").is_some() {
        fs::write(&path, &page).expect("writable");
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    let different = page.lines().zip(committed.lines()).find(|(new, old)| new != old);
    assert!(
        committed == page,
        "docs/deviations.md is not what the golden cases say now: run this test with FEEDLINE_WRITE_DOCS=1 and commit the file; \
         first difference: {different:?}"
    );
}

/// How far every case is from its library, or which differs.
fn checked() -> &'static [Result<Deviation, String>] {
    static CHECKED: OnceLock<Vec<Result<Deviation, String>>> = OnceLock::new();
    CHECKED.get_or_init(|| {
        let cases = cases::all().expect("readable");
        assert!(!cases.is_empty(), "no golden cases: is tests/data/golden complete?");
        cases.iter().map(|case| check(case).map_err(|what| format!("{}: {what}", case.name))).collect()
    })
}

fn check(case: &Case) -> Result<Deviation, String> {
    let (input, expected) = (case.input()?, case.expected()?);
    rule::check(&case.pipeline)
        .map_err(|found| found.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))?;
    let (found, full, annotated) = made(case, &input)?;
    check_annotations(case, &annotated)?;
    let of = |what: String| format!("{what} (expected: {})", case.producer);
    if found.shape != expected.shape || found.values.dtype() != expected.values.dtype() {
        let shown = |array: &npy::Array| format!("{:?} of {}", array.shape, array.values.dtype());
        return Err(of(format!("{}, not {}", shown(&found), shown(&expected))));
    }
    let compared = compare(case, &found, &expected).map_err(of)?;
    Ok(Deviation {
        op: case.op().to_owned(),
        producer: case.producer.clone(),
        floats: matches!(found.values, npy::Values::F32(_)),
        largest: compared.largest / full,
        sum: compared.sum / full,
        tolerance: case.tolerance / full,
        ..compared
    })
}

/// What feedline makes of the input: the image with the tail of the pipeline, the value of its full brightness (1 if it has none, or
/// if it is 8 bits), and the sample with what is marked on it.
fn made(case: &Case, input: &npy::Array) -> Result<(npy::Array, f64, Sample<'static>), String> {
    let [height, width, channels] = input.shape;
    let size = Size::new(side(width)?, side(height)?);
    let (image, depth) = match &input.values {
        npy::Values::U8(values) => (Image::from_u8(size, channels, values.clone()), Depth::U8),
        npy::Values::F32(values) => (Image::from_f32(size, channels, values.clone()), Depth::F32 { full: case.full }),
    };
    let form = Form { smallest: size, largest: size, channels, depth };
    let pipeline = Pipeline::build_with(&rule::with_defaults(&case.pipeline), form, &References(case));
    let pipeline = pipeline.map_err(|r| r.to_string())?;
    let sample = marked(image, &case.annotations, case.mask()?.as_ref())?;
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
    if made.masks.iter().any(|mask| mask.size != made.image.size()) {
        return Err("image and mask are of different sizes in the end".into());
    }
    let nothing = Image::from_u8(Size::new(1, 1), 1, vec![0]);
    let full = match pipeline.output().depth {
        Depth::F32 { full: Some(full) } => f64::from(full),
        _ => 1.0,
    };
    let Sample { image, boxes, masks, keypoints, .. } = made;
    Ok((tailed(&pipeline, image), full, Sample { boxes, masks, keypoints, ..Sample::new(nothing, 0) }))
}

/// The images of the dataset that ops of a case take something from.
struct References<'a>(&'a Case);

impl Resources for References<'_> {
    fn picture(&self, sample: u64) -> Result<Arc<Picture>, Unavailable> {
        let of = |error: String| Unavailable::new(format!("sample {sample}: {error}"), "an image in `inputs`");
        let array = self.0.reference(sample).map_err(of)?;
        let (npy::Values::U8(pixels), [height, width, 3]) = (array.values, array.shape) else {
            return Err(of("not an RGB image of 8 bits".into()));
        };
        let size = Size::new(side(width).map_err(of)?, side(height).map_err(of)?);
        Ok(Arc::new(Picture { size, pixels }))
    }

    fn keep(&self, _: u64) -> Result<(), Unavailable> {
        Ok(())
    }
}

/// The sample of a case.
fn marked<'a>(image: Image<'a>, annotations: &Annotations, mask: Option<&npy::Array>) -> Result<Sample<'a>, String> {
    let mut sample = Sample::new(image, 0);
    let boxes = annotations.boxes.iter().zip(0..);
    sample.boxes = boxes
        .map(|([x_min, y_min, x_max, y_max], label)| BoundingBox {
            x_min: *x_min,
            y_min: *y_min,
            x_max: *x_max,
            y_max: *y_max,
            label,
        })
        .collect();
    sample.keypoints = annotations.keypoints.iter().map(|[x, y]| Keypoint::new(*x, *y)).collect();
    sample.rules = annotations.rules.map(|rules| Arc::new(rules.into()));
    if let Some(mask) = mask {
        let npy::Values::U8(classes) = &mask.values else { return Err("the mask is not of 8 bits".into()) };
        let size = Size::new(side(mask.shape[1])?, side(mask.shape[0])?);
        sample.masks = vec![Mask { size, classes: classes.clone() }];
    }
    Ok(sample)
}

fn check_annotations(case: &Case, found: &Sample<'_>) -> Result<(), String> {
    let expected = &case.annotations;
    let boxes: Vec<[f64; 4]> = found.boxes.iter().map(|b| [b.x_min, b.y_min, b.x_max, b.y_max]).collect();
    let keypoints: Vec<[f64; 2]> = found.keypoints.iter().map(|point| [point.x, point.y]).collect();
    let near = |a: &f64, b: &f64| (a - b).abs() <= expected.tolerance;
    let near_all = |a: &[f64], b: &[f64]| a.len() == b.len() && a.iter().zip(b).all(|(a, b)| near(a, b));
    if !near_all(boxes.as_flattened(), expected.expected_boxes.as_flattened()) {
        return Err(format!("boxes are {boxes:?}, not {:?}", expected.expected_boxes));
    }
    if !near_all(keypoints.as_flattened(), expected.expected_keypoints.as_flattened()) {
        return Err(format!("keypoints are {keypoints:?}, not {:?}", expected.expected_keypoints));
    }
    let labels: Vec<i64> = found.boxes.iter().map(|b| b.label).collect();
    if expected.expected_labels.as_ref().is_some_and(|expected| *expected != labels) {
        return Err(format!("boxes {labels:?} are left, not {:?}", expected.expected_labels));
    }
    let Some(mask) = found.masks.first() else { return Ok(()) };
    let expected_mask = case.expected_mask()?;
    let (classes, expected_classes) = (&mask.classes, expected_mask.values.as_f64());
    if expected_mask.shape[..2] != [mask.size.height as usize, mask.size.width as usize] {
        return Err(format!("the mask is of {}, not of {:?}", mask.size, expected_mask.shape));
    }
    let other = classes.iter().zip(&expected_classes).filter(|(a, b)| f64::from(**a) != **b).count();
    if other as f64 > expected.mask_share * classes.len() as f64 {
        return Err(format!("{other} of {} pixels of the mask have another class", classes.len()));
    }
    Ok(())
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

/// The differences in the units of the values; what they are of is filled in by the caller.
fn compare(case: &Case, found: &npy::Array, expected: &npy::Array) -> Result<Deviation, String> {
    let (found, expected) = (found.values.as_f64(), expected.values.as_f64());
    // Equal infinities differ by nothing; a NaN differs from everything, without end.
    let difference = |(a, b): (&f64, &f64)| match (a - b).abs() {
        _ if a == b => 0.0,
        difference if difference.is_nan() => f64::INFINITY,
        difference => difference,
    };
    let differences: Vec<f64> = found.iter().zip(&expected).map(difference).collect();
    let over = differences.iter().filter(|x| **x > case.tolerance).count();
    let sum = differences.iter().sum::<f64>();
    let mean = sum / differences.len().max(1) as f64;
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
        _ => Ok(Deviation {
            op: String::new(),
            producer: String::new(),
            floats: false,
            values: differences.len(),
            largest: differences.iter().copied().fold(0.0, f64::max),
            sum,
            beyond: over,
            tolerance: case.tolerance,
        }),
    }
}

fn side(length: usize) -> Result<u32, String> {
    u32::try_from(length).map_err(|error| error.to_string())
}
