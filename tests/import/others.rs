//! timm and Hugging Face.

use super::*;

pub(super) fn timm(config: Value) -> Imported {
    import(Origin::Timm, &config.to_string(), Syntax::Json, false).expect("a configuration")
}

fn hugging_face(config: Value) -> Imported {
    import(Origin::HuggingFace, &config.to_string(), Syntax::Json, false).expect("a configuration")
}

pub(super) fn places(imported: &Imported) -> Vec<&str> {
    imported.report.unsupported.iter().map(|finding| &finding.place[..]).collect()
}

#[test]
fn a_model_of_timm_says_how_it_was_evaluated() {
    let config = json!({ "architecture": "convnext_tiny", "num_classes": 1000, "pretrained_cfg": {
        "input_size": [3, 224, 224], "interpolation": "bicubic", "crop_pct": 0.9, "crop_mode": "center",
        "mean": [0.5, 0.4, 0.3], "std": [0.2, 0.3, 0.4], "license": "mit", "test_input_size": [3, 288, 288] } });
    let imported = timm(config.clone());
    assert_eq!(places(&imported), [""; 0]);
    // floor(224 / 0.9)
    let expected = json!([
        { "resize": { "shortest_edge": 248, "filter": "bicubic" } },
        { "center_crop": { "height": 224, "width": 224 } },
        { "to_float": { "divisor": 255.0 } },
        { "normalize": { "mean": [0.5, 0.4, 0.3], "std": [0.2, 0.3, 0.4] } },
    ]);
    assert_eq!(ops(&imported), expected);
    let mut squash = config.clone();
    squash["pretrained_cfg"]["crop_mode"] = json!("squash");
    assert_eq!(ops(&timm(squash))[0], json!({ "resize": { "height": 248, "width": 248, "filter": "bicubic" } }));
    for (name, value) in [
        ("crop_mode", json!("border")),
        ("interpolation", json!("random")),
        ("mean", json!("x")),
        ("input_size", json!([3, 224, 256])),
        ("crop_pct", json!(-1)),
    ] {
        let mut changed = config.clone();
        changed["pretrained_cfg"][name] = value;
        let imported = timm(changed);
        assert_eq!(places(&imported), [format!("timm.{name}")]);
        assert!(imported.pipeline().ops.is_empty(), "half of it is none");
    }
}

#[test]
fn a_processor_of_hugging_face_is_read_by_what_it_does() {
    let clip = json!({ "image_processor_type": "CLIPImageProcessor", "do_resize": true, "size": { "shortest_edge": 224 },
        "resample": 3, "do_center_crop": true, "crop_size": { "height": 224, "width": 224 }, "do_rescale": true,
        "rescale_factor": 0.00392156862745098, "do_normalize": true, "do_convert_rgb": true,
        "image_mean": [0.5, 0.4, 0.3], "image_std": [0.2, 0.3, 0.4] });
    let imported = hugging_face(clip.clone());
    assert_eq!(places(&imported), [""; 0]);
    let expected = json!([
        { "resize": { "shortest_edge": 224, "filter": "bicubic" } },
        { "center_crop": { "height": 224, "width": 224, "centre": "floor" } },
        { "to_float": { "divisor": 255.0 } },
        { "normalize": { "mean": [0.5, 0.4, 0.3], "std": [0.2, 0.3, 0.4] } },
    ]);
    assert_eq!(ops(&imported), expected);
    for (name, value) in [
        ("do_pad", json!(true)),
        ("resample", json!(5)),
        ("size", json!({ "longest_edge": 9 })),
        ("crop_size", json!(300)),
        ("unknown", json!(1)),
        ("do_normalize", Value::Null),
    ] {
        let mut changed = clip.clone();
        changed[name] = value;
        assert_eq!(places(&hugging_face(changed)), [format!("preprocessor.{name}")]);
    }
    // A number is both sides for one processor, the shorter edge for another.
    let sized = |kind: &str, size: Value| {
        let mut changed = clip.clone();
        (changed["image_processor_type"], changed["size"]) = (json!(kind), size);
        changed.as_object_mut().expect("an object").remove("do_center_crop");
        ops(&hugging_face(changed))[0]["resize"].take()
    };
    assert_eq!(sized("ViTImageProcessorFast", json!(224)), json!({ "height": 224, "width": 224, "filter": "bicubic" }));
    assert_eq!(sized("CLIPImageProcessor", json!(224)), json!({ "shortest_edge": 224, "filter": "bicubic" }));
    assert_eq!(sized("ConvNextImageProcessor", json!(224)), json!({ "shortest_edge": 256, "filter": "bicubic" }));
    assert_eq!(
        sized("ConvNextImageProcessor", json!(384)),
        json!({ "height": 384, "width": 384, "filter": "bicubic" })
    );
    let mut unknown = clip;
    unknown["image_processor_type"] = json!("SamImageProcessor");
    assert_eq!(places(&hugging_face(unknown)), ["image_processor_type"]);
}
