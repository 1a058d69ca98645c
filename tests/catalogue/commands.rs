//! `feedline ops` and `feedline explain`.

use std::path::{Path, PathBuf};

use feedline::augment::catalogue::{self, Kind};
use feedline::decode::{Decoder, Limits};
use serde_json::Value;

use super::process::{Serving, ran, write_photographs};

pub(super) fn json(args: &[&str]) -> Value {
    let (code, out, log) = ran(args);
    assert_eq!(code, 0, "{args:?}: {log}");
    serde_json::from_str(out.lines().last().unwrap_or_default()).unwrap_or_else(|error| panic!("{error}: {out}"))
}

#[test]
fn ops_lists_everything_that_a_spec_can_name_in_a_line_each() {
    let (code, out, _) = ran(&["ops"]);
    let all = catalogue::all();
    assert_eq!((code, out.lines().count()), (0, all.len()));
    for ((_, described), line) in all.iter().zip(out.lines()) {
        assert!(line.starts_with(&described.name) && line.ends_with(&described.summary), "{line}");
    }
    let listed = json(&["ops", "--json"]);
    let listed = listed.as_array().expect("an array");
    assert_eq!(listed.len(), all.len());
    for ((kind, described), object) in all.iter().zip(listed) {
        assert_eq!(object["name"], *described.name);
        for field in ["summary", "about", "example"] {
            assert!(object[field].as_str().is_some_and(|text| !text.is_empty()), "{}: {field}", described.name);
        }
        let is_op = *kind == Kind::Op;
        assert!(object["reference"].is_string() == is_op && object["version"].is_u64() == is_op, "{object}");
        assert!(object.get("cost").is_some() && object.get("targets").is_some(), "{object}");
        for parameter in object["parameters"].as_array().expect("an array") {
            for field in ["name", "type", "meaning"] {
                assert!(parameter[field].as_str().is_some_and(|text| !text.is_empty()), "{parameter}");
            }
        }
    }
}

#[test]
fn ops_shows_one_in_full() {
    let (code, out, _) = ran(&["ops", "resize"]);
    assert_eq!(code, 0);
    for part in [
        "shortest_edge: whole number, 0 to 16384",
        "default bilinear",
        "lanczos3: ",
        "Reference",
        "Example",
        "{ resize",
    ] {
        assert!(out.contains(part), "no {part:?} in {out}");
    }
    let flip = &json(&["ops", "horizontal_flip", "--json"])[0];
    let p = &flip["parameters"][0];
    assert_eq!((&p["name"], &p["default"], &p["range"]["max"]), (&"p".into(), &0.5.into(), &1.0.into()));
    assert_eq!(flip["targets"], serde_json::json!(["image", "boxes", "mask", "keypoints"]));
    let (_, out, _) = ran(&["ops", "one_of"]);
    assert!(out.contains("one_of: a group"), "{out}");
    let (_, out, _) = ran(&["ops", "cutmix"]);
    assert!(out.contains("cutmix: a mixing"), "{out}");
}

#[test]
fn ops_names_what_is_near_a_name_that_is_none() {
    for (name, near) in [
        ("horizontal_flop", "horizontal_flip"),
        ("RandomResizedCrop", "random_resized_crop"),
        ("jitter", "color_jitter"),
    ] {
        let (code, out, log) = ran(&["ops", name]);
        assert!(code == 2 && out.is_empty() && log.contains(near), "{name}: {code} {log}");
    }
    let (code, _, log) = ran(&["ops", &"\u{e4}x".repeat(5000)]);
    assert!(code == 2 && log.contains("feedline ops"), "{log}");
}

/// The photographs, and a pipeline of a group, a crop, a jitter and a tail.
fn dataset() -> (tempfile::TempDir, PathBuf, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let (photographs, pipeline) = (folder.path().join("photographs"), folder.path().join("pipeline.toml"));
    write_photographs(&photographs);
    let ops = "ops = [{ random_resized_crop = { height = 96, width = 80 } }, \
               { one_of = { ops = [{ horizontal_flip = { p = 1 } }, { vertical_flip = { p = 1 } }] } }, \
               { color_jitter = { brightness = [0.6, 1.4], hue = [-0.1, 0.1] } }, { to_float = {} }, { normalize = {} }]\n";
    std::fs::write(&pipeline, ops).expect("writable");
    (folder, photographs, pipeline)
}

pub(super) fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

#[test]
fn explain_shows_each_op_and_replays_its_record_to_the_same_pixels() {
    let (folder, photographs, pipeline) = dataset();
    let (first, second) = (folder.path().join("first"), folder.path().join("second"));
    let usual =
        ["explain", text(&photographs), "--sample", "37", "--epoch", "3", "--pipeline", text(&pipeline), "--seed", "5"];
    let with = |more: &[&str]| json(&[&usual[..], more].concat());
    let found = with(&["--json", "-o", text(&first)]);
    let steps = found["steps"].as_array().expect("an array");
    let names: Vec<&str> = steps.iter().filter_map(|step| step["op"].as_str()).collect();
    assert!(names.len() == 3 && names[0] == "random_resized_crop" && names[2] == "color_jitter", "{names:?}");
    assert_eq!(
        (&steps[0]["size"]["width"], &found["deferred"]),
        (&80.into(), &serde_json::json!(["to_float", "normalize"]))
    );
    assert_eq!(found["skipped"].as_array().map(Vec::len), Some(1), "one of the two flips");
    assert_eq!((&found["key"], &found["replayed_equal"]), (&"coffee/05.jpg".into(), &Value::Null));
    for step in steps {
        let picture = first.join(step["picture"].as_str().expect("a name"));
        assert!(picture.is_file(), "no {}", picture.display());
    }
    assert!(first.join("sheet.png").is_file() && first.join("00-original.png").is_file());

    let record = first.join("record.json");
    let replayed = with(&["--json", "-o", text(&second), "--replay", text(&record)]);
    assert_eq!((&replayed["replayed_equal"], &replayed["digest"]), (&true.into(), &found["digest"]));
    let other = [&usual[..], &["--epoch", "4", "-o", text(&second)]].concat();
    // clap takes one epoch only.
    assert_eq!(ran(&other).0, 2);

    // Other parameters give other pixels, and that is said.
    let mut changed: Value = serde_json::from_str(&std::fs::read_to_string(&record).expect("there")).expect("JSON");
    changed["steps"].as_array_mut().expect("an array").remove(1);
    std::fs::write(&record, changed.to_string()).expect("writable");
    let (code, out, _) = ran(&[&usual[..], &["-o", text(&second), "--replay", text(&record)]].concat());
    assert!(code == 1 && out.contains("OTHER pixels"), "{out}");
    std::fs::write(&record, "{\"steps\": [{\"number\": 77, \"op\": \"hue\", \"params\": 1}]}").expect("writable");
    let (code, _, log) = ran(&[&usual[..], &["-o", text(&second), "--replay", text(&record)]].concat());
    assert!(code == 2 && log.contains("op number 77"), "{log}");
}

#[test]
fn explain_shows_the_pixels_that_a_batch_has() {
    let (folder, photographs, pipeline) = dataset();
    let (explained, pulled) = (folder.path().join("explained"), folder.path().join("pulled"));
    let spec = ["--pipeline", text(&pipeline), "--seed", "9", "--batch-size", "1"];
    let place = ["--sample", "11", "--epoch", "2", "--json", "-o", text(&explained)];
    let found = json(&[&["explain", text(&photographs)], &spec[..], &place].concat());
    assert_eq!((&found["step"], &found["row"]), (&found["position"], &0.into()));
    let last = found["steps"].as_array().and_then(|steps| steps.last()).expect("a step");
    let picture = std::fs::read(explained.join(last["picture"].as_str().expect("a name"))).expect("there");
    let shown = Decoder::new(Limits::default()).decode(&picture).expect("a PNG file").pixels;

    let server = Serving::start(&[text(&photographs)]);
    let start = format!("2:{}", found["step"]);
    let form = ["--dtype", "u8", "--layout", "nhwc", "--start", &start, "--count", "1", "--json", "-o", text(&pulled)];
    let line = json(&[&["pull", &server.address], &spec[..], &form].concat());
    assert_eq!(line["samples"], serde_json::json!([11]));
    let files = std::fs::read_dir(&pulled).expect("a folder").map(|file| file.expect("readable").path());
    let images: Vec<PathBuf> = files.filter(|path| text(path).ends_with("image.npy")).collect();
    let image = std::fs::read(&images[0]).expect("there");
    assert!(image.ends_with(&shown) && shown.len() == 96 * 80 * 3, "other pixels than the batch has");
}

#[test]
fn explain_needs_no_batch_of_the_default_size() {
    let (folder, photographs, pipeline) = dataset();
    let explained = folder.path().join("explained");
    // Of six classes two are left: 32 samples.
    let classes = std::fs::read_dir(&photographs).expect("a folder").map(|class| class.expect("readable").path());
    let others = classes.filter(|path| !path.ends_with("cat") && !path.ends_with("coffee"));
    others.for_each(|class| std::fs::remove_dir_all(class).expect("removed"));
    let of = |more: &[&str]| ran(&[&["explain", text(&photographs), "-o", text(&explained)], more].concat());
    let small = ["--sample", "3", "--json", "--pipeline", text(&pipeline)];
    let (code, out, log) = of(&small);
    assert_eq!(code, 0, "32 samples make no batch of 64 rows: {log}");
    let found: Value = serde_json::from_str(&out).expect("JSON");
    let none = &Value::Null;
    assert_eq!((&found["has_batches"], &found["step"], &found["row"]), (&false.into(), none, none));
    assert_eq!(&found["fingerprint"], none, "of no spec that could be streamed");
    // What was drawn is what a loader of any batch size draws.
    let (_, out, _) = of(&[&small[..], &["--batch-size", "4"]].concat());
    let batched: Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!((&batched["position"], &batched["digest"]), (&found["position"], &found["digest"]));
    assert!(batched["step"].is_u64() && batched["fingerprint"].is_string(), "{batched}");
    let (_, out, _) = of(&small[..2]);
    assert!(out.contains("--batch-size tells step and row too"), "{out}");
    // Images of several sizes make no batch either.
    let (code, _, log) = of(&["--sample", "3", "--pipeline", "none"]);
    assert_eq!(code, 0, "{log}");
    // A number that was asked for is kept to, and other mistakes are told as they are.
    let (code, _, log) = of(&[&small[..], &["--batch-size", "64"]].concat());
    assert!(code == 3 && log.contains("32 samples make no batch of 64 rows"), "{code}: {log}");
    let (code, _, log) = of(&["--sample", "3", "--split", "holidays"]);
    assert!(code == 3 && log.contains("holidays"), "{code}: {log}");
}

#[test]
fn explain_refuses_a_sample_that_is_not_there() {
    let (_folder, photographs, _) = dataset();
    let (code, _, log) = ran(&["explain", text(&photographs), "--sample", "96"]);
    assert!(code == 2 && log.contains("96 samples"), "{log}");
    let refused = |split: &str| {
        let (code, _, log) = ran(&[
            "explain",
            text(&photographs),
            "--sample",
            "3",
            "--split",
            split,
            "--batch-size",
            "1",
            "-o",
            "/dev/null/x",
        ]);
        code == 2 && log.contains("is not in")
    };
    // Either side of a split has it; the other one can't be written to that place.
    assert!(refused("train[:48]") != refused("train[48:]"));
}
