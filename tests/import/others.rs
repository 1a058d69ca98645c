//! timm and Hugging Face.

use super::*;

fn timm(config: Value, approximate: bool) -> Imported {
    import(Origin::Timm, &config.to_string(), Syntax::Json, approximate).expect("a configuration")
}

fn hugging_face(config: Value) -> Imported {
    import(Origin::HuggingFace, &config.to_string(), Syntax::Json, false).expect("a configuration")
}

fn places(imported: &Imported) -> Vec<&str> {
    imported.report.unsupported.iter().map(|finding| &finding.place[..]).collect()
}

#[test]
fn a_model_of_timm_says_how_it_was_evaluated() {
    let config = json!({ "architecture": "convnext_tiny", "num_classes": 1000, "pretrained_cfg": {
        "input_size": [3, 224, 224], "interpolation": "bicubic", "crop_pct": 0.9, "crop_mode": "center",
        "mean": [0.5, 0.4, 0.3], "std": [0.2, 0.3, 0.4], "license": "mit", "test_input_size": [3, 288, 288] } });
    let imported = timm(config.clone(), false);
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
    assert_eq!(ops(&timm(squash, false))[0], json!({ "resize": { "height": 248, "width": 248, "filter": "bicubic" } }));
    for (name, value) in [
        ("crop_mode", json!("border")),
        ("interpolation", json!("random")),
        ("mean", json!("x")),
        ("input_size", json!([3, 224, 256])),
        ("crop_pct", json!(-1)),
    ] {
        let mut changed = config.clone();
        changed["pretrained_cfg"][name] = value;
        let imported = timm(changed, false);
        assert_eq!(places(&imported), [format!("timm.{name}")]);
        assert!(imported.pipeline().ops.is_empty(), "half of it is none");
    }
}

#[test]
fn arguments_of_create_transform_say_how_it_was_trained() {
    let arguments = json!({ "input_size": 224, "is_training": true, "interpolation": "bicubic", "scale": [0.2, 1.0],
        "hflip": 0.5, "vflip": 0.1, "color_jitter": 0.0, "grayscale_prob": 0.2 });
    let imported = timm(arguments.clone(), false);
    assert_eq!(places(&imported), [""; 0]);
    let names: Vec<_> = ops(&imported)
        .as_array()
        .expect("ops")
        .iter()
        .flat_map(|op| op.as_object().expect("an op").keys().cloned().collect::<Vec<_>>())
        .collect();
    let expected = ["random_resized_crop", "horizontal_flip", "vertical_flip", "grayscale", "to_float", "normalize"];
    assert_eq!(names, expected);
    let mut jitter = arguments.clone();
    jitter["color_jitter"] = json!([0.4, 0.3, 0.0, 0.1]);
    assert_eq!(places(&timm(jitter.clone(), false)), ["timm.color_jitter"]);
    let taken = ops(&timm(jitter, true));
    assert_eq!(taken[3]["color_jitter"]["brightness"], json!([0.6, 1.4]));
    assert_eq!(taken[3]["color_jitter"].get("saturation"), None);
    for (name, value) in
        [("interpolation", json!("random")), ("typo", json!(1)), ("naflex", json!(true)), ("hflip", json!("often"))]
    {
        let mut changed = arguments.clone();
        changed[name] = value;
        assert_eq!(places(&timm(changed, false)), [format!("timm.{name}")]);
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
