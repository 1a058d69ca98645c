//! Boxes and keypoints: what `BboxParams` and `KeypointParams` say stands in the loader spec.

use super::*;

/// A file of one flip with these parameters of boxes and keypoints.
fn compose(boxes: Value, keypoints: Value) -> Imported {
    let flip = json!({ "__class_fullname__": "HorizontalFlip", "p": 0.5 });
    let compose = json!({ "__class_fullname__": "Compose", "p": 1.0, "transforms": [flip], "bbox_params": boxes,
        "keypoint_params": keypoints });
    let text = json!({ "__version__": "2.0.8", "transform": compose }).to_string();
    import(Origin::Albumentations, &text, Syntax::Json, false).expect("the form of a file")
}

fn unsupported(imported: &Imported) -> Vec<&str> {
    imported.report.unsupported.iter().map(|finding| &finding.place[..]).collect()
}

#[test]
fn what_albumentations_saves_of_annotations_becomes_a_loader_spec() {
    let imported = read(&data("annotations.json"), false);
    assert!(imported.report.unsupported.is_empty(), "{:#?}", imported.report.unsupported);
    let spec = imported.loader_spec();
    assert_eq!(spec.targets, [v1::Target::Boxes, v1::Target::Keypoints].map(i32::from));
    let rules = v1::BoxRules { min_area: 16.0, min_visibility: 0.25, min_width: 2.0, min_height: 3.0, clip: true };
    assert_eq!(spec.box_rules, Some(rules));
    assert_eq!(spec.keypoint_rules, Some(v1::KeypointRules { remove_invisible: true, ..Default::default() }));
    let notices: Vec<_> = imported.report.notices.iter().map(ToString::to_string).collect();
    assert!(
        notices[0].starts_with("transform.bbox_params.format: yolo: boxes come so with --box-format yolo"),
        "{notices:#?}"
    );
    // What is written is read as it was: the whole spec by the one, the pipeline by the other.
    let written: v1::LoaderSpec = toml::from_str(&imported.spec_toml()).expect("TOML");
    assert_eq!(written, spec);
    let pipeline: v1::Pipeline = toml::from_str(&imported.toml()).expect("TOML");
    assert_eq!(Some(pipeline), spec.pipeline);
    assert!(imported.toml().contains("# Of the loader spec (--spec): targets = [\"boxes\", \"keypoints\"]"));
}

#[test]
fn defaults_say_nothing_and_nothing_is_not_asked_for() {
    let imported = compose(json!({ "format": "pascal_voc" }), Value::Null);
    let spec = imported.loader_spec();
    assert_eq!((spec.targets, spec.box_rules), (vec![v1::Target::Boxes.into()], None));
    let own = imported.report.notices.iter().filter(|finding| finding.place.starts_with("transform")).count();
    assert_eq!((own, unsupported(&imported).len()), (0, 0));
    let kept =
        json!({ "format": "xy", "remove_invisible": false, "check_each_transform": false, "angle_in_degrees": true });
    let imported = compose(Value::Null, kept);
    assert!(unsupported(&imported).is_empty());
    assert_eq!(imported.loader_spec().targets, [i32::from(v1::Target::Keypoints)]);
    assert_eq!(imported.loader_spec().keypoint_rules, None);
    assert!(!compose(Value::Null, Value::Null).has_spec());
}

#[test]
fn what_has_no_counterpart_is_refused_by_place() {
    for (name, value) in [
        ("format", json!("xyxy")),
        ("format", Value::Null),
        ("label_fields", json!(["labels", "difficult"])),
        ("label_fields", json!("labels")),
        ("min_area", json!(-1)),
        ("min_visibility", json!(1.5)),
        ("clip", json!("yes")),
        ("check_each_transform", json!(false)),
        ("filter_invalid_bboxes", json!(true)),
        ("max_accept_ratio", json!(3.0)),
        ("unknown", json!(1)),
    ] {
        let mut params = json!({ "format": "coco", "label_fields": [], "filter_invalid_bboxes": false });
        params[name] = value;
        let imported = compose(params, Value::Null);
        assert_eq!(unsupported(&imported), [format!("transform.bbox_params.{name}")]);
        assert!(!imported.has_spec(), "half of it is none");
    }
    for (name, value) in [
        ("format", json!("yx")),
        ("format", json!("xyas")),
        ("check_each_transform", json!(false)),
        ("label_fields", json!(["a", "b"])),
        ("unknown", json!(1)),
    ] {
        let mut params = json!({ "format": "xy" });
        params[name] = value;
        assert_eq!(unsupported(&compose(Value::Null, params)), [format!("transform.keypoint_params.{name}")]);
    }
    assert_eq!(unsupported(&compose(json!(3), Value::Null)), ["transform.bbox_params"]);
}

#[test]
fn only_the_outermost_compose_is_asked() {
    let inner = json!({ "__class_fullname__": "Compose", "p": 1.0, "bbox_params": { "format": "coco" }, "transforms": [
        { "__class_fullname__": "HorizontalFlip", "p": 0.5 }] });
    let imported = imported(json!([inner]));
    assert!(!imported.has_spec() && imported.report.unsupported.is_empty());
    assert_eq!(imported.report.notices[0].place, "transform.transforms[0].Compose.bbox_params");
}
