//! Promise: a manifest is read strictly, its annotations are part of the dataset, and what is wrong is said with file, line and
//! field.

use std::fs;
use std::path::Path;

use feedline::source::{self, Listing, SourceError};
use feedline::store::{Dataset, Mode, State};
use feedline_proto::v1;
use tempfile::TempDir;

mod common;

#[path = "targets/batches.rs"]
#[allow(dead_code)]
mod batches;

use batches::png;
use common::{engine, from, loaded, made, rank, spec_of};

const HEADER: &str = r#"{"manifest": 1, "box_format": "pascal_voc", "keypoint_names": ["left", "right"]}"#;

/// A folder with these manifests, and images of 20 x 10 with masks beside them.
fn folder(manifests: &[(&str, &[&str])]) -> TempDir {
    let root = tempfile::tempdir().expect("a folder");
    fs::create_dir_all(root.path().join("images")).expect("made");
    for name in ["a", "b", "c"] {
        let image = png(20, 10, png::ColorType::Rgb, &[50; 600]);
        fs::write(root.path().join(format!("images/{name}.png")), image).expect("written");
        let mask = png(20, 10, png::ColorType::Grayscale, &[name.as_bytes()[0] - b'a'; 200]);
        fs::write(root.path().join(format!("{name}-mask.png")), mask).expect("written");
    }
    for (name, lines) in manifests {
        fs::write(root.path().join(name), lines.join("\n")).expect("written");
    }
    root
}

fn listed(root: &TempDir) -> Listing {
    source::at(root.path(), Some("data")).expect("a dataset")
}

fn dataset(lines: &[&str]) -> Dataset {
    loaded(listed(&folder(&[("train.jsonl", lines)])), Mode::Auto)
}

#[test]
fn lines_become_samples_with_labels_in_order() {
    let root = folder(&[
        (
            "train.jsonl",
            &[
                HEADER,
                r#"{"file": "images/b.png", "label": "dog", "boxes": [{"box": [1, 2, 3, 4], "label": "tail"}]}"#,
                "",
                r#"{"file": "./images/a.png", "label": "cat", "boxes": [{"box": [0, 0, 5, 5], "label": "ear"}, {"box": [2, 2, 4, 4]}]}"#,
            ],
        ),
        ("val.jsonl", &[r#"{"file": "images/c.png", "label": "ant"}"#]),
        ("notes.jsonl", &["no manifest"]),
    ]);
    let listing = listed(&root);
    assert_eq!(
        (&listing.classes[..], &listing.box_classes[..]),
        (&["cat", "dog", "ant"].map(String::from)[..], &["ear", "tail"].map(String::from)[..])
    );
    let keys = |split: usize| {
        listing.splits[split].entries.iter().map(|entry| (entry.key.as_str(), entry.label)).collect::<Vec<_>>()
    };
    assert_eq!(keys(0), [("images/a.png", 0), ("images/b.png", 1)]);
    assert_eq!(keys(1), [("images/c.png", 2)]);
    let annotations = listing.splits[0].annotations.as_ref().expect("boxes");
    assert_eq!(annotations.table.labels().collect::<Vec<_>>(), [0, -1, 1]);
    assert_eq!(listing.ignored[0].path, "notes.jsonl");
    let train = source::at(&root.path().join("train.jsonl"), None).expect("a manifest by itself");
    assert_eq!((train.splits.len(), train.splits[0].entries.len()), (1, 2));
}

#[test]
fn what_is_wrong_is_said_with_file_line_and_field() {
    let line = |fields: &str| format!(r#"{{"file": "images/a.png", {fields}}}"#);
    for (text, field, expected) in [
        ("no json".to_owned(), "the line", "JSON object"),
        ("[1, 2]".to_owned(), "the line", "JSON object"),
        (r#"{"label": "cat"}"#.to_owned(), "file", "path of an image"),
        (r#"{"file": "../a.png"}"#.to_owned(), "file", "inside of the manifest's folder"),
        (r#"{"file": "/etc/a.png"}"#.to_owned(), "file", "inside of the manifest's folder"),
        (line(r#""mask": "../mask.png""#), "mask", "inside of the manifest's folder"),
        (line(r#""mask": 7"#), "mask", "path of a PNG"),
        (line(r#""bbox": []"#), "bbox", "one of file, label, boxes"),
        (line(r#""label": 3"#), "label", "needs a header"),
        (line(r#""boxes": {}"#), "boxes", "list of objects"),
        (line(r#""boxes": [[1, 2, 3, 4]]"#), "boxes[0]", "an object with box and label"),
        (line(r#""boxes": [{"label": "cat"}]"#), "boxes[0].box", "4 numbers"),
        (line(r#""boxes": [{"box": [1, 2, 3]}]"#), "boxes[0].box", "4 numbers"),
        (line(r#""boxes": [{"box": [1, 2, "3", 4]}]"#), "boxes[0].box", "4 numbers"),
        (line(r#""boxes": [{"box": [1, 2, 3, 4]}, {"box": [5, 5, 5, 9]}]"#), "boxes[1].box", "x_min below x_max"),
        (line(r#""box_format": "coco", "boxes": [{"box": [5, 5, 5, 0]}]"#), "boxes[0].box", "height above 0"),
        (line(r#""box_format": "xyxy", "boxes": []"#), "box_format", "pascal_voc"),
        (line(r#""boxes": [{"box": [1, 2, 3, 4], "score": 1}]"#), "boxes[0].score", "box, label"),
        (line(r#""keypoints": [[1]]"#), "keypoints", "a multiple of the 2"),
        (line(r#""keypoints": [[1, 2], [1]]"#), "keypoints[1]", "[x, y, visibility]"),
        (line(r#""keypoints": [[1, 2, 3], [1, 2]]"#), "keypoints[0]", "0 to 2"),
        (line(r#""keypoints": [[1, 2]], "keypoint_ids": ["nose"]"#), "keypoint_ids[0]", "keypoint_names"),
        (line(r#""keypoints": [[1, 2]], "keypoint_ids": [0, 1]"#), "keypoint_ids", "one id for each of 1"),
        (line(r#""keypoint_ids": [0]"#), "keypoint_ids", "none"),
        (r#"{"file": "images/b.png"}"#.to_owned(), "file", "no other line names; line 2 does"),
    ] {
        let root = folder(&[("train.jsonl", &[HEADER, r#"{"file": "images/b.png"}"#, &text])]);
        let error = source::at(root.path(), None).expect_err(&text);
        let SourceError::Manifest { line, field: found, .. } = &error else { panic!("{text}: {error}") };
        assert_eq!((*line, found.as_str()), (3, field), "{text}: {error}");
        assert!(error.to_string().contains(expected) && error.to_string().contains("train.jsonl:3"), "{text}: {error}");
    }
}

#[test]
fn headers_are_read_strictly_and_are_the_same_for_all_splits() {
    let sample = r#"{"file": "images/a.png", "label": 1, "boxes": [{"box": [1, 1, 2, 2], "label": 0}]}"#;
    for (header, field) in [
        (r#"{"manifest": 2}"#, "manifest"),
        (r#"{"manifest": 1, "classes": "cat"}"#, "classes"),
        (r#"{"manifest": 1, "classes": ["cat", "cat"]}"#, "classes"),
        (r#"{"manifest": 1, "names": []}"#, "names"),
    ] {
        let error = source::at(folder(&[("train.jsonl", &[header, sample])]).path(), None).expect_err(header);
        assert!(matches!(&error, SourceError::Manifest { line: 1, field: found, .. } if found == field), "{error}");
    }
    let named = r#"{"manifest": 1, "box_format": "coco", "classes": ["x", "y"], "box_classes": ["z"]}"#;
    let both = folder(&[("train.jsonl", &[named, sample]), ("val.jsonl", &[named, sample])]);
    assert_eq!(listed(&both).splits[1].entries[0].label, 1);
    let other = named.replace("\"x\"", "\"w\"");
    let differing = folder(&[("train.jsonl", &[named, sample]), ("val.jsonl", &[&other, sample])]);
    let error = source::at(differing.path(), None).expect_err("another list").to_string();
    assert!(error.contains("val.jsonl:1: classes"), "{error}");
}

#[test]
fn two_manifests_of_one_split_are_refused() {
    let line: &[&str] = &[r#"{"file": "images/a.png"}"#];
    let error = source::at(folder(&[("val.jsonl", line), ("dev.jsonl", line)]).path(), None).expect_err("ambiguous");
    assert!(matches!(&error, SourceError::TwoSpellings { split: "validation", .. }), "{error}");
    let empty = source::at(folder(&[("train.jsonl", &["", ""])]).path(), None).expect_err("no samples").to_string();
    assert!(empty.contains("without samples"), "{empty}");
}

#[test]
fn annotations_are_in_the_fingerprint_and_their_format_is_not() {
    let boxed = |text: &str| format!(r#"{{"file": "images/a.png", "boxes": [{text}]}}"#);
    let one = boxed(r#"{"box": [1, 2, 5, 6], "label": "cat"}"#);
    let print = |lines: &[&str]| dataset(lines).fingerprint;
    let base = print(&[HEADER, &one]);
    let coco = HEADER.replace("pascal_voc", "coco");
    assert_eq!(print(&[&coco, &boxed(r#"{"box": [1, 2, 4, 4], "label": "cat"}"#)]), base, "the same box");
    let masked = r#"{"file": "images/a.png", "mask": "a-mask.png"}"#;
    let lines = [
        boxed(r#"{"box": [1, 2, 5, 7], "label": "cat"}"#),
        boxed(r#"{"box": [1, 2, 5, 6], "label": "dog"}"#),
        boxed(r#"{"box": [1, 2, 5, 6]}"#),
        boxed(""),
        r#"{"file": "images/a.png"}"#.to_owned(),
        r#"{"file": "images/a.png", "keypoints": [[1, 2], [3, 4]]}"#.to_owned(),
        r#"{"file": "images/a.png", "keypoints": [[1, 2], [3, 4, 1]]}"#.to_owned(),
        masked.to_owned(),
        masked.replace("a-mask", "b-mask"),
    ];
    let mut prints: Vec<_> = lines.iter().map(|line| print(&[HEADER, line])).collect();
    prints.push(base);
    let count = prints.len();
    prints.sort();
    prints.dedup();
    assert_eq!(prints.len(), count, "each line is another dataset");
}

#[test]
fn a_dataset_without_annotations_is_the_same_as_a_folder_of_it() {
    let root = tempfile::tempdir().expect("a folder");
    fs::write(root.path().join("a.png"), png(20, 10, png::ColorType::Rgb, &[50; 600])).expect("written");
    let by_folder = loaded(source::at(root.path(), None).expect("a folder"), Mode::Auto).fingerprint;
    fs::write(root.path().join("train.jsonl"), r#"{"file": "a.png"}"#).expect("written");
    assert_eq!(loaded(source::at(root.path(), None).expect("a manifest"), Mode::Auto).fingerprint, by_folder);
}

#[test]
fn samples_whose_files_or_masks_are_missing_or_wrong_are_listed_with_the_cause() {
    let root = folder(&[(
        "manifest.jsonl",
        &[
            r#"{"file": "images/a.png", "mask": "a-mask.png"}"#,
            r#"{"file": "images/b.png", "mask": "none.png"}"#,
            r#"{"file": "images/c.png", "mask": "small.png"}"#,
            r#"{"file": "images/none.png", "mask": "a-mask.png"}"#,
            r#"{"file": "images/torn.png", "mask": "torn.png"}"#,
        ],
    )]);
    let write = |name: &str, bytes: &[u8]| fs::write(root.path().join(name), bytes).expect("written");
    write("small.png", &png(5, 5, png::ColorType::Grayscale, &[1; 25]));
    write("images/torn.png", &png(20, 10, png::ColorType::Rgb, &[9; 600]));
    let whole = png(20, 10, png::ColorType::Grayscale, &(0..200).collect::<Vec<u8>>());
    write("torn.png", &whole[..whole.len() - 30]);
    let dataset = loaded(listed(&root), Mode::Auto);
    let split = &dataset.splits[0];
    let told = |index| (split.state(index), split.cause(index).unwrap_or_default());
    assert_eq!(told(0).0, State::Unknown);
    assert!(told(1).0 == State::Unreadable && told(1).1.starts_with("mask none.png"), "{:?}", told(1));
    assert!(told(2).0 == State::Damaged && told(2).1.contains("is of 5x5, expected 20x10"), "{:?}", told(2));
    assert_eq!(told(3).0, State::Unreadable);
    // What only decoding shows is found at first touch, and told like any damage.
    let engine = engine(dataset, 1);
    let targets = vec![v1::Target::Mask.into()];
    let mut spec = v1::LoaderSpec { targets, ..spec_of([], 1) };
    spec.set_order(v1::Order::Sequential);
    let request = engine.resolve(&spec, &rank(0, 1), &from(0, 4, 1)).expect("sound");
    let error = engine.open(request).expect("admitted").next_blocking().expect("an answer").expect_err("damaged");
    assert!(error.to_string().contains("images/torn.png") && error.to_string().contains("mask"), "{error}");
    let sound = made(&engine, &spec, &rank(0, 1), &from(0, 0, 1));
    assert_eq!(sound[0].samples, [0]);
}

#[test]
fn targets_that_a_dataset_has_not_or_that_do_not_go_together_are_refused() {
    let boxed = r#"{"file": "images/a.png", "label": "cat", "mask": "a-mask.png", "boxes": [{"box": [1, 2, 5, 6]}]}"#;
    let engine = engine(dataset(&[HEADER, boxed]), 1);
    let refused = |change: &dyn Fn(&mut v1::LoaderSpec)| {
        let mut spec = v1::LoaderSpec { targets: vec![v1::Target::Boxes.into()], ..spec_of([], 1) };
        change(&mut spec);
        engine.resolve(&spec, &rank(0, 1), &from(0, 0, 1)).expect_err("no sense").to_string()
    };
    let none = refused(&|spec| spec.targets = vec![v1::Target::Keypoints.into()]);
    assert!(none.contains("spec.targets[0] is keypoints") && none.contains("has boxes, mask"), "{none}");
    let mixed = refused(&|spec| {
        spec.targets = vec![v1::Target::Mask.into()];
        *spec = common::mixed(spec.clone(), common::mixup());
    });
    assert!(mixed.contains("mask beside a mixup"), "{mixed}");
    let pair = v1::FlipPair { left: "left".into(), right: "nose".into() };
    let rules = v1::KeypointRules { flip_pairs: vec![pair], ..Default::default() };
    let pairs = refused(&|spec| spec.keypoint_rules = Some(rules.clone()));
    assert!(pairs.contains("flip_pairs[0].right is \"nose\"") && pairs.contains("left, right"), "{pairs}");
    let range = refused(&|spec| spec.box_rules = Some(v1::BoxRules { min_visibility: 2.0, ..Default::default() }));
    assert!(range.contains("spec.box_rules.min_visibility is 2"), "{range}");
}

#[test]
fn boxes_beyond_the_image_are_refused_by_name_unless_they_are_rounding_or_to_be_clipped() {
    let line = |x: f64| format!(r#"{{"file": "images/b.png", "boxes": [{{"box": [1, 2, {x}, 6]}}]}}"#);
    let resolved = |x: f64, clip: bool| {
        let engine = engine(dataset(&[HEADER, r#"{"file": "images/a.png"}"#, &line(x)]), 1);
        let box_rules = Some(v1::BoxRules { clip, ..Default::default() });
        let spec = v1::LoaderSpec { targets: vec![v1::Target::Boxes.into()], box_rules, ..spec_of([], 2) };
        let request = engine.resolve(&spec, &rank(0, 1), &from(0, 0, 1)).map_err(|error| error.to_string())?;
        let batch = engine.open(request).expect("admitted").next_blocking().expect("a batch").expect("made");
        let rows = batches::rows(&batch);
        Ok::<_, String>(rows.iter().flat_map(|row| row.boxes.clone()).collect::<Vec<_>>())
    };
    assert_eq!(resolved(20.000_001, false), Ok(vec![[1.0, 2.0, 20.0, 6.0]]));
    let error = resolved(21.0, false).expect_err("beyond");
    assert!(
        error.contains("boxes of 1 samples") && error.contains("images/b.png") && error.contains("set clip"),
        "{error}"
    );
    assert_eq!(resolved(21.0, true), Ok(vec![[1.0, 2.0, 20.0, 6.0]]));
}

#[test]
fn a_path_that_is_no_manifest_is_a_folder_as_before() {
    let root = tempfile::tempdir().expect("a folder");
    assert!(matches!(source::at(&root.path().join("none.jsonl"), None), Err(SourceError::NotFound { .. })));
    assert!(matches!(source::at(root.path(), None), Err(SourceError::NoImages { .. })));
    assert!(matches!(source::manifest(Path::new("nowhere"), None), Err(SourceError::NotFound { .. })));
}
