//! `feedline explain` of a spec with views.

use std::path::{Path, PathBuf};

use feedline::decode::{Decoder, Limits};
use serde_json::Value;

use super::commands::{json, text};
use super::process::{Serving, ran, write_photographs};

const SPEC: &str = r#"
global_batch_size = 1
seed = 5

[pipeline]
ops = [{ resize = { height = 64, width = 64 } }, { to_float = {} }, { normalize = {} }]

[[views.groups]]
name = "global"
count = 2
ops = [{ random_resized_crop = { height = 32, width = 32 } }, { horizontal_flip = {} }]

[[views.groups]]
name = "ends"
test_time = "flip"
"#;

/// The photographs, and a spec with two groups of two views.
fn dataset() -> (tempfile::TempDir, PathBuf, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let (photographs, spec) = (folder.path().join("photographs"), folder.path().join("spec.toml"));
    write_photographs(&photographs);
    std::fs::write(&spec, SPEC).expect("writable");
    (folder, photographs, spec)
}

fn views(found: &Value) -> &Vec<Value> {
    found["views"].as_array().expect("an array")
}

fn pixels(folder: &Path, view: &Value) -> Vec<u8> {
    let picture = std::fs::read(folder.join(view["picture"].as_str().expect("a name"))).expect("there");
    Decoder::new(Limits::default()).decode(&picture).expect("a PNG file").pixels
}

#[test]
fn every_view_is_shown_with_the_pixels_that_a_batch_has() {
    let (folder, photographs, spec) = dataset();
    let (explained, pulled) = (folder.path().join("explained"), folder.path().join("pulled"));
    let spec = ["--spec", text(&spec)];
    let place = ["--sample", "37", "--epoch", "3", "-o", text(&explained)];
    let found = json(&[&["explain", text(&photographs), "--json"], &spec[..], &place].concat());
    let names: Vec<(&str, u64)> = views(&found)
        .iter()
        .map(|view| (view["tensor"].as_str().expect("a name"), view["view"].as_u64().expect("a number")))
        .collect();
    assert_eq!(names, [("image_global", 0), ("image_global", 1), ("image_ends", 0), ("image_ends", 1)]);
    let common: Vec<_> = found["steps"].as_array().expect("an array").iter().map(|step| &step["op"]).collect();
    assert_eq!((common, &found["then"]), (vec![&"resize".into()], &serde_json::json!([])));
    assert_eq!(found["deferred"], serde_json::json!(["to_float", "normalize"]));
    let mut files = std::collections::BTreeSet::new();
    for view in views(&found) {
        let (steps, skipped) = (view["steps"].as_array().expect("steps"), view["skipped"].as_array().expect("skipped"));
        let ops = if view["tensor"] == "image_global" { 2 } else { view["view"].as_u64().expect("a number") as usize };
        assert_eq!(steps.len() + skipped.len(), ops, "{view}");
        let side = if view["tensor"] == "image_global" { 32 } else { 64 };
        assert_eq!(pixels(&explained, view).len(), side * side * 3);
        for step in steps {
            let name = step["picture"].as_str().expect("a name");
            let prefix = format!("{}-{}-", view["tensor"].as_str().expect("a name"), view["view"]);
            assert!(name.starts_with(&prefix) && explained.join(name).is_file(), "no {name}");
            assert!(files.insert(name.to_owned()), "{name} is of two views");
        }
    }
    assert_ne!(views(&found)[0]["steps"][0]["params"], views(&found)[1]["steps"][0]["params"], "views draw anew");
    let (_, out, _) = ran(&[&["explain", text(&photographs)], &spec[..], &place].concat());
    assert!(out.contains("\nview 1 of image_global, 32x32, image_global-1-"), "{out}");
    assert!(out.contains("\nview 0 of image_ends, 64x64, image_ends-0-00-unchanged.png"), "{out}");

    let server = Serving::start(&[text(&photographs)]);
    let start = format!("3:{}", found["step"]);
    let form = ["--dtype", "u8", "--layout", "nhwc", "--start", &start, "--count", "1", "-o", text(&pulled)];
    let (code, _, log) = ran(&[&["pull", &server.address], &spec[..], &form].concat());
    assert_eq!(code, 0, "{log}");
    for (tensor, views) in [("image_global", &views(&found)[..2]), ("image_ends", &views(&found)[2..])] {
        let name = format!("0003-{:06}-{tensor}.npy", found["step"].as_u64().expect("a number"));
        let batch = std::fs::read(pulled.join(&name)).expect(&name);
        let shown: Vec<u8> = views.iter().flat_map(|view| pixels(&explained, view)).collect();
        assert!(batch.ends_with(&shown), "{tensor}: other pixels than the batch has");
    }
}

#[test]
fn a_record_replays_to_the_same_pixels_in_every_view() {
    let (folder, photographs, spec) = dataset();
    let (first, second) = (folder.path().join("first"), folder.path().join("second"));
    let usual = ["explain", text(&photographs), "--sample", "11", "--spec", text(&spec)];
    let found = json(&[&usual[..], &["--json", "-o", text(&first)]].concat());
    let record = first.join("record.json");
    let replay = |more: &[&str]| {
        // Another seed would draw otherwise.
        let other = ["--seed", "77", "-o", text(&second), "--replay", text(&record)];
        ran(&[&usual[..], &other, more].concat())
    };
    let (code, out, log) = replay(&["--json"]);
    let replayed: Value = serde_json::from_str(&out).expect(&log);
    assert_eq!((code, &replayed["replayed_equal"]), (0, &true.into()));
    for (a, b) in views(&found).iter().zip(views(&replayed)) {
        assert_eq!((&a["digest"], &a["steps"]), (&b["digest"], &b["steps"]));
    }

    let text_of = std::fs::read_to_string(&record).expect("there");
    let changed = |change: &dyn Fn(&mut Value)| {
        let mut value: Value = serde_json::from_str(&text_of).expect("JSON");
        change(&mut value);
        std::fs::write(&record, value.to_string()).expect("writable");
    };
    changed(&|value| drop(value["views"][3]["steps"].as_array_mut().expect("an array").remove(0)));
    let (code, out, _) = replay(&[]);
    assert!(code == 1 && out.contains("OTHER pixels"), "{out}");
    changed(&|value| drop(value["views"].as_array_mut().expect("an array").remove(1)));
    let (code, _, log) = replay(&[]);
    assert!(code == 2 && log.contains("the record has no view 1 of image_global"), "{log}");
    changed(&|value| value["views"][0]["steps"][0]["op"] = "hue".into());
    let (code, _, log) = replay(&[]);
    assert!(code == 2 && log.contains("the record does not fit this pipeline"), "{log}");
}
