//! Promise: a pipeline of another library is imported whole, or everything that can't be is named with its place. The files of
//! `tests/data/import` are what albumentations itself saves (`tests/golden/make_import.py`).

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use feedline::augment::{Pipeline, Scratch};
use feedline::image::{Depth, Form, Image, Pixels, Size};
use feedline::import::albumentations::{CONTAINERS, classes, why_not};
use feedline::import::{Imported, Origin, Syntax, import};
use feedline::sample::Sample;
use feedline::seed::{Key, Purpose};
use feedline_proto::{rule, v1};
use serde_json::{Value, json};

#[path = "import/annotations.rs"]
mod annotations;
#[path = "import/command.rs"]
mod command;
#[path = "golden/npy.rs"]
mod npy;
#[path = "import/others.rs"]
mod others;
#[path = "import/page.rs"]
mod page;
#[path = "import/training.rs"]
mod training;

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/import").join(name)
}

fn read(path: &Path, approximate: bool) -> Imported {
    let text = fs::read_to_string(path).expect("a file of tests/data/import");
    import(Origin::Albumentations, &text, Syntax::of(path), approximate).expect("what albumentations saves")
}

/// A file of version 2.0.8 with these transforms.
fn saved(transforms: Value) -> String {
    let compose = json!({ "__class_fullname__": "Compose", "p": 1.0, "transforms": transforms });
    json!({ "__version__": "2.0.8", "transform": compose }).to_string()
}

fn imported(transforms: Value) -> Imported {
    import(Origin::Albumentations, &saved(transforms), Syntax::Json, false).expect("the form of a file")
}

/// The ops of a pipeline as the contract spells them.
fn ops(imported: &Imported) -> Value {
    let mut pipeline = serde_json::to_value(imported.pipeline()).expect("JSON");
    pipeline["ops"].take()
}

/// Files of one class each, with their names.
fn one_each() -> Vec<(String, PathBuf)> {
    let entries = fs::read_dir(data("albumentations")).expect("files").map(|entry| entry.expect("readable").path());
    let named = |path: PathBuf| (path.file_stem().expect("a name").to_string_lossy().into_owned(), path);
    let mut files: Vec<_> = entries.map(named).collect();
    files.sort();
    assert!(files.len() > 50, "{} files", files.len());
    files
}

#[test]
fn every_class_of_albumentations_is_imported_or_refused_with_a_reason() {
    let text = fs::read_to_string(data("classes.txt")).expect("the list of classes");
    let all: BTreeSet<&str> = text.lines().collect();
    let imported: BTreeSet<&str> = classes().chain(CONTAINERS).collect();
    for class in &all {
        assert!(imported.contains(class) != why_not(class).is_some(), "{class} must be imported, or have a reason");
    }
    assert!(imported.iter().all(|class| all.contains(class)), "{:?}", imported.difference(&all));
}

#[test]
fn what_albumentations_saves_is_imported_whole() {
    let files = one_each();
    for class in classes().filter(|class| !["ToTensorV2"].contains(class)) {
        assert!(files.iter().any(|(name, _)| name == class), "no file of {class}: see tests/golden/make_import.py");
    }
    for (class, path) in files {
        let strict = read(&path, false);
        if !classes().any(|known| known == class) {
            let places: Vec<_> = strict.report.unsupported.iter().map(|finding| &finding.place[..]).collect();
            assert_eq!(places, [format!("transform.transforms[0].{class}")]);
            continue;
        }
        let near = |finding: &&feedline::import::Finding| finding.why.contains("--approximate");
        let whole = strict.report.unsupported.iter().all(|finding| near(&finding));
        assert!(whole, "{class}: {:#?}", strict.report.unsupported);
        let loose = read(&path, true);
        assert!(loose.report.unsupported.is_empty(), "{class}: {:#?}", loose.report.unsupported);
        let nothing = ["NoOp", "ToRGB"].contains(&&*class);
        assert_eq!(loose.pipeline().ops.is_empty(), nothing, "{class}");
        let read: v1::Pipeline = toml::from_str(&loose.toml()).expect("TOML");
        assert_eq!(read, loose.pipeline(), "{class}");
    }
}

#[test]
fn no_argument_is_passed_over() {
    for (class, path) in one_each().into_iter().filter(|(class, _)| classes().any(|known| known == class)) {
        let text = fs::read_to_string(&path).expect("a file");
        let file: Value = serde_json::from_str(&text).expect("JSON");
        let arguments = file["transform"]["transforms"][0].as_object().expect("arguments").clone();
        // What is read only beside another argument that switches it on, or says nothing about images.
        let beside = ["border_mode", "fill", "fill_mask", "pad_position"];
        let strange = ["pad_if_needed", "keep_size"].iter().any(|name| arguments.contains_key(*name));
        for (name, value) in arguments.iter().filter(|(name, _)| *name != "__class_fullname__") {
            // Albumentations too takes it from the shifts.
            if strange && beside.contains(&&**name) || name == "noise_params" {
                continue;
            }
            for wrong in [json!("nonsense"), json!({ "a": [] }), json!([[]]), json!(-1e300)] {
                // A mean may be any number, and what is read beside another argument too.
                if wrong.is_number() && (name == "mean" || class == "Sharpen" && name == "sigma") {
                    continue;
                }
                let mut changed = file.clone();
                changed["transform"]["transforms"][0][name] = wrong.clone();
                let imported =
                    import(Origin::Albumentations, &changed.to_string(), Syntax::Json, true).expect("a file");
                let heard = !imported.report.unsupported.is_empty();
                assert!(heard, "{class}.{name} = {wrong} instead of {value} is taken without a word");
            }
        }
        let mut changed = file.clone();
        changed["transform"]["transforms"][0]["new_argument"] = json!(1);
        let imported = import(Origin::Albumentations, &changed.to_string(), Syntax::Json, true).expect("a file");
        let place = format!("transform.transforms[0].{class}.new_argument");
        assert_eq!(imported.report.unsupported.last().map(|finding| &finding.place), Some(&place));
    }
}

#[test]
fn groups_mean_what_they_mean_in_albumentations() {
    let (json, yaml) = (read(&data("groups.json"), false), read(&data("groups.yaml"), false));
    assert_eq!(json.pipeline(), yaml.pipeline());
    assert!(json.report.unsupported.is_empty(), "{:#?}", json.report.unsupported);
    let notices: Vec<_> = json.report.notices.iter().map(|finding| &finding.place[..]).collect();
    // Quarter turns among some of several ask for squares, and nothing makes the rows one size.
    let boxes = ["transform.bbox_params.format", "transform.bbox_params.label_fields"];
    assert_eq!(notices, [&boxes[..], &["transform.transforms[1].SomeOf", "the whole pipeline"]].concat());
    let half = |op: &str| json!({ op: { "p": 0.5 } });
    let one = |op: &str| json!({ op: { "p": 1.0 } });
    let (horizontal, vertical) = (half("horizontal_flip"), half("vertical_flip"));
    let turns = json!({ "rot90": { "turns": [0, 1, 2, 3], "p": 0.5 } });
    let gray = json!({ "grayscale": { "channels": 3, "method": "opencv", "p": 1.0 } });
    let either = json!({ "one_of": { "ops": [horizontal, vertical] } });
    // One is drawn by weight and then applied for sure; what does nothing takes its share of the probability along.
    let first = json!({ "one_of": {
        "ops": [one("horizontal_flip"), one("vertical_flip")], "weights": [0.2, 0.6], "p": 0.4 } });
    let rest = json!([
        { "some_of": { "ops": [horizontal, vertical, turns], "count": 2, "replace": true, "p": 0.9 } },
        { "sequence": { "ops": [either, either] } },
        { "one_of": { "ops": [one("horizontal_flip"), gray], "weights": [0.7, 1.0 - 0.7] } },
        { "sequence": { "ops": [vertical], "p": 0.4 } },
    ]);
    let found = ops(&json);
    let found = &found[0]["sequence"];
    assert_eq!(found["p"], json!(0.95));
    let p = found["ops"][0]["one_of"]["p"].as_f64().expect("a probability");
    assert!((p - 0.4).abs() < 1e-12, "{p}");
    assert_eq!(found["ops"][0]["one_of"]["weights"], first["one_of"]["weights"]);
    assert_eq!(found["ops"][0]["one_of"]["ops"], first["one_of"]["ops"]);
    assert_eq!(found["ops"].as_array().map(|ops| &ops[1..]), rest.as_array().map(|ops| &ops[..]));
}

#[test]
fn a_pipeline_without_chance_makes_the_pixels_of_albumentations() {
    let (mut cases, mut wrong) = (0, Vec::new());
    for entry in fs::read_dir(data("pixels")).expect("cases") {
        let folder = entry.expect("readable").path();
        let imported = read(&folder.join("pipeline.json"), false);
        assert!(imported.report.unsupported.is_empty(), "{}: {:#?}", folder.display(), imported.report.unsupported);
        let input = npy::read(&folder.join("input.npy")).expect("an input");
        let expected = npy::read(&folder.join("expected.npy")).expect("a result");
        let text = fs::read_to_string(folder.join("tolerance.txt")).expect("a tolerance, and a share that may be off");
        let limits: Vec<f64> = text.split_whitespace().map(|number| number.parse().expect("a number")).collect();
        let found = made(&imported.pipeline(), &input);
        let typed = |array: &npy::Array| (array.shape, array.values.dtype());
        assert_eq!(typed(&found), typed(&expected), "{}", folder.display());
        let pairs = found.values.as_f64().into_iter().zip(expected.values.as_f64());
        let off = pairs.map(|(a, b)| (a - b).abs()).filter(|difference| *difference > limits[0]).count();
        let count = expected.values.as_f64().len();
        if off as f64 > limits[1] * count as f64 {
            wrong.push(format!("{}: {off} of {count} are off", folder.display()));
        }
        cases += 1;
    }
    assert!(cases >= 5 && wrong.is_empty(), "{cases} cases: {wrong:#?}");
}

fn made(pipeline: &v1::Pipeline, input: &npy::Array) -> npy::Array {
    let npy::Values::U8(values) = &input.values else { panic!("8 bits") };
    let side = |side: usize| u32::try_from(side).expect("small");
    let size = Size::new(side(input.shape[1]), side(input.shape[0]));
    let form = Form { smallest: size, largest: size, channels: input.shape[2], depth: Depth::U8 };
    let built = Pipeline::build(&rule::with_defaults(pipeline), form).expect("builds");
    let key = Key { seed: 0, epoch: 0, position: 0, view: 0, op: 0, purpose: Purpose::Op };
    let sample = Sample::new(Image::from_u8(size, input.shape[2], values.clone()), 0);
    let image = built.run(sample, key, &mut Scratch::default()).image;
    let (size, channels) = (image.size(), image.channels());
    let shape = [size.height as usize, size.width as usize, channels];
    let values = match (image.into_pixels(), built.tail()) {
        (Pixels::U8(values), Some(tail)) => {
            let value = |(index, x): (usize, &u8)| tail.table(index % channels)[usize::from(*x)];
            npy::Values::F32(values.iter().enumerate().map(value).collect())
        }
        (Pixels::U8(values), None) => npy::Values::U8(values.into_owned()),
        (Pixels::F32(values), _) => npy::Values::F32(values),
    };
    npy::Array { shape, values }
}

#[test]
fn everything_unsupported_is_named_with_its_place_in_one_run() {
    let transforms = json!([
        { "__class_fullname__": "HorizontalFlip", "p": 0.5, "strength": 3 },
        { "__class_fullname__": "Resize", "p": 1.0, "height": 9, "width": 7, "interpolation": 2, "mask_interpolation": 1 },
        { "__class_fullname__": "Sequential", "p": 1.0, "transforms": [
            { "__class_fullname__": "OneOf", "p": 0.5, "transforms": [
                { "__class_fullname__": "VerticalFlip", "p": 0.5 },
                { "__class_fullname__": "GlassBlur", "p": 0.5 },
                { "__class_fullname__": "mine.Transform", "p": 0.5 },
            ] },
        ] },
        { "__class_fullname__": "Normalize", "p": 0.5 },
        { "__class_fullname__": "VerticalFlip", "p": 7 },
        "nonsense",
    ]);
    let imported = imported(transforms);
    let places: Vec<_> = imported.report.unsupported.iter().map(|finding| &finding.place[..]).collect();
    assert_eq!(
        places,
        [
            "transform.transforms[0].HorizontalFlip.strength",
            "transform.transforms[1].Resize.mask_interpolation",
            "transform.transforms[1].Resize.interpolation",
            "transform.transforms[2].Sequential.transforms[0].OneOf.transforms[1].GlassBlur",
            "transform.transforms[2].Sequential.transforms[0].OneOf.transforms[2].mine.Transform",
            "transform.transforms[4].VerticalFlip.p",
            "transform.transforms[5]",
            // What a server would refuse: floats in one case, 8 bits in the other.
            "transform.transforms[3].Normalize",
        ]
    );
    assert_eq!(ops(&imported), json!([{ "one_of": { "p": 0.5, "ops": [{ "vertical_flip": { "p": 1.0 } }] } }]));
    let text = imported.toml();
    assert!(
        text.contains("    # left out: transform.transforms[2].Sequential.transforms[0].OneOf.transforms[1].GlassBlur")
    );
}

#[test]
fn names_of_1_x_are_read_and_other_versions_are_not() {
    let old = json!({ "__version__": "1.3.1", "transform": {
        "__class_fullname__": "Compose", "p": 1.0, "additional_targets": {}, "transforms": [
            { "__class_fullname__": "albumentations.augmentations.crops.transforms.RandomResizedCrop", "always_apply": false,
              "p": 1.0, "height": 96, "width": 80, "scale": [0.2, 1.0], "ratio": [0.75, 1.25], "interpolation": 1 },
            { "__class_fullname__": "HorizontalFlip", "always_apply": true, "p": 0.5 },
        ] } });
    let imported = import(Origin::Albumentations, &old.to_string(), Syntax::Json, false).expect("a file");
    assert!(imported.report.unsupported.is_empty(), "{:#?}", imported.report.unsupported);
    let found = ops(&imported);
    assert_eq!(found[0]["random_resized_crop"]["height"], json!(96));
    assert_eq!(found[1], json!({ "horizontal_flip": { "p": 1.0 } }));
    let places: Vec<_> = imported.report.notices.iter().map(|finding| &finding.place[..]).collect();
    assert_eq!(
        places,
        [
            "__version__",
            "transform.transforms[0].RandomResizedCrop.height, width",
            "transform.transforms[1].HorizontalFlip.always_apply",
            "transform"
        ]
    );
    for version in ["2.0.9", "2.1.0", "3.0", "x"] {
        let text = saved(json!([])).replace("2.0.8", version);
        let imported = import(Origin::Albumentations, &text, Syntax::Json, false).expect("a file");
        assert_eq!(imported.report.unsupported.len(), 1, "{version}");
    }
}

#[test]
fn what_is_no_such_file_is_refused() {
    for text in ["", "[]", "{}", "nonsense", r#"{"transform": 3}"#, r#"{"__version__": "2.0.8", "transform": {}}"#] {
        for origin in [Origin::Albumentations, Origin::Timm, Origin::HuggingFace] {
            let imported = import(origin, text, Syntax::Json, true);
            assert!(
                imported.is_err() || imported.is_ok_and(|imported| !imported.report.unsupported.is_empty()),
                "{text}"
            );
        }
    }
    let nested = (0..100).fold(
        json!({ "__class_fullname__": "HorizontalFlip", "p": 0.5 }),
        |inner, _| json!({ "__class_fullname__": "OneOf", "p": 0.5, "transforms": [inner] }),
    );
    let text = json!({ "__version__": "2.0.8", "transform": nested }).to_string();
    match import(Origin::Albumentations, &text, Syntax::Json, false) {
        Ok(imported) => assert!(!imported.report.unsupported.is_empty() && imported.pipeline().ops.is_empty()),
        Err(error) => assert!(error.contains("recursion"), "{error}"),
    }
}
