//! Trainings of timm: arguments of `create_transform`, and `args.yaml` as its training script writes it.

use feedline::import::import_timm;

use super::others::{places, timm};
use super::*;

const ARGS: &str = include_str!("args.yaml");

/// `args.yaml` with other values, and the model's configuration.
fn run(changes: &[(&str, Value)]) -> Imported {
    let model = fs::read_to_string(data("timm/config.json")).expect("a configuration");
    import_timm((&changed(changes), Syntax::Json), (&model, Syntax::Json)).expect("arguments of a run")
}

fn changed(changes: &[(&str, Value)]) -> String {
    let mut args: Value = serde_saphyr::from_str(ARGS).expect("YAML");
    changes.iter().for_each(|(name, value)| args[*name] = value.clone());
    args.to_string()
}

fn names(imported: &Imported) -> Vec<String> {
    let found = ops(imported);
    found.as_array().into_iter().flatten().filter_map(Value::as_object).flat_map(|op| op.keys().cloned()).collect()
}

#[test]
fn arguments_of_create_transform_say_how_it_was_trained() {
    let arguments = json!({ "input_size": 224, "is_training": true, "scale": [0.2, 1.0], "hflip": 0.5, "vflip": 0.1,
        "color_jitter": Value::Null, "grayscale_prob": 0.2, "gaussian_blur_prob": 0.1 });
    let imported = timm(arguments.clone());
    assert_eq!(places(&imported), [""; 0]);
    let flips = ["random_resized_crop", "horizontal_flip", "vertical_flip"];
    let rest = ["grayscale", "gaussian_blur", "to_float", "normalize"];
    assert_eq!(names(&imported), [&flips[..], &rest].concat());
    // timm's default.
    assert_eq!(ops(&imported)[0]["random_resized_crop"]["filter"], json!("bilinear"));
    for (value, brightness, hue) in [
        (json!(0.4), json!([0.6, 1.4]), Value::Null),
        (json!([0.4, 0.3, 0.0, 0.1]), json!([0.6, 1.4]), json!([-0.1, 0.1])),
    ] {
        let mut jitter = arguments.clone();
        jitter["color_jitter"] = value;
        let jitter = ops(&timm(jitter))[3]["color_jitter"].take();
        assert_eq!((&jitter["brightness"], &jitter["hue"], &jitter["method"]), (&brightness, &hue, &json!("pillow")));
    }
    for (name, value) in
        [("interpolation", json!("cubic")), ("typo", json!(1)), ("naflex", json!(true)), ("hflip", json!("often"))]
    {
        let mut changed = arguments.clone();
        changed[name] = value;
        assert_eq!(places(&timm(changed)), [format!("timm.{name}")]);
    }
}

#[test]
fn a_filter_that_is_drawn_is_one_of_two_ops() {
    let imported = timm(json!({ "input_size": [3, 96, 80], "is_training": true, "interpolation": "random" }));
    assert_eq!(places(&imported), [""; 0]);
    let crops = ops(&imported)[0]["one_of"]["ops"].take();
    let filters: Vec<_> = (0..2).map(|index| crops[index]["random_resized_crop"]["filter"].clone()).collect();
    assert_eq!(filters, ["bilinear", "bicubic"]);
    assert_eq!(ops(&imported)[0]["one_of"].get("weights"), None);
}

#[test]
fn a_training_without_augmentation_is_resized_and_cut() {
    let plain = |size: Value| {
        let arguments =
            json!({ "input_size": size, "is_training": true, "no_aug": true, "hflip": 0.5, "interpolation": "random" });
        let imported = timm(arguments);
        assert_eq!(places(&imported), [""; 0]);
        (ops(&imported)[0]["resize"].take(), names(&imported))
    };
    let (resize, names) = plain(json!([3, 96, 80]));
    assert_eq!(resize, json!({ "height": 96, "width": 80, "filter": "bilinear" }));
    assert_eq!(names, ["resize", "center_crop", "to_float", "normalize"]);
    assert_eq!(plain(json!(96)).0, json!({ "shortest_edge": 96, "filter": "bilinear" }));
}

#[test]
fn policies_are_those_of_timm() {
    let with = |policy: &str| {
        timm(json!({ "is_training": true, "input_size": 224, "auto_augment": policy, "interpolation": "bicubic",
            "mean": [0.5, 0.4, 0.3], "std": [0.2, 0.2, 0.2] }))
    };
    for policy in [
        "rand-m9-mstd0.5-inc1",
        "rand-m15-n2-mmax20-p0.7-mstd101",
        "rand-m7-n1-tweights",
        "original",
        "original-mstd0.5",
        "originalr",
        "v0",
        "v0r-mstd1",
        "augmix-m5-w4-d2-b1-a0.5-mstd0.5",
    ] {
        let imported = with(policy);
        assert_eq!(places(&imported), [""; 0], "{policy}");
        // It switches the colour jitter off.
        let expected = ["random_resized_crop", "horizontal_flip", "timm_augment", "to_float", "normalize"];
        assert_eq!(names(&imported), expected, "{policy}");
        let found = ops(&imported)[2]["timm_augment"].take();
        // Halves are rounded to even: 127.5, 102 and 76.5.
        let expected = json!({ "policy": policy, "filter": "bicubic", "fill": [128.0, 102.0, 76.0] });
        assert_eq!(found, expected);
    }
    // Those that have it beside.
    for policy in ["3a", "rand-t3a-n1", "rand-t3aw-n3"] {
        let imported = with(policy);
        assert_eq!(
            (&names(&imported)[2..4], places(&imported).len()),
            (&["timm_augment", "color_jitter"].map(String::from)[..], 0)
        );
    }
    let imported = with("rand-m9-inc-mstd0.5");
    assert_eq!(ops(&imported)[2]["timm_augment"]["policy"], json!("rand-m9-mstd0.5"));
    assert_eq!(imported.report.notices[0].place, "timm.auto_augment");
    for policy in ["rand-m9-q3", "rand-m900", "augmix-n3", "original-m3", "mine", "v0-tweights1", "rand-tnone"] {
        assert_eq!(places(&with(policy)), ["timm.auto_augment"], "{policy}");
    }
    let other = json!({ "is_training": true, "input_size": 224, "auto_augment": "v0", "interpolation": "lanczos" });
    assert_eq!(places(&timm(other)), ["timm.interpolation"]);
}

#[test]
fn arguments_of_a_run_are_those_of_its_transforms_and_its_mixing() {
    let imported = run(&[]);
    assert_eq!(places(&imported), [""; 0]);
    let expected = ["one_of", "horizontal_flip", "timm_augment", "to_float", "normalize", "random_erasing"];
    assert_eq!(names(&imported), expected);
    let found = ops(&imported);
    assert_eq!(found[2]["timm_augment"], json!({ "policy": "rand-m9-mstd0.5-inc1", "fill": [124.0, 116.0, 104.0] }));
    assert_eq!(found[5]["random_erasing"]["mode"], json!("pixel"));
    let spec = serde_json::to_value(imported.loader_spec()).expect("JSON");
    let expected = json!({ "off_from_epoch": 270, "label_smoothing": 0.1, "cutmix_or_mixup": { "switch_prob": 0.5,
        "cutmix": { "alpha": 1.0, "p": 1.0, "per": "batch" }, "mixup": { "alpha": 0.8, "p": 1.0, "per": "batch" } } });
    assert_eq!(spec["mixing"], expected);
    let written: v1::LoaderSpec = toml::from_str(&imported.spec_toml()).expect("TOML");
    assert_eq!(written, imported.loader_spec());
    // MixUp alone, drawn for each row; without mixing the smoothing belongs to the loss.
    let one =
        run(&[("cutmix", json!(0.0)), ("mixup_mode", json!("elem")), ("mixup_off_epoch", json!(0))]).loader_spec();
    let expected = json!({ "label_smoothing": 0.1, "mixup": { "alpha": 0.8, "p": 1.0, "per": "row" } });
    assert_eq!(serde_json::to_value(one.mixing).expect("JSON"), expected);
    let none = run(&[("cutmix", json!(0.0)), ("mixup", json!(0.0))]);
    assert!(!none.has_spec() && none.report.notices.iter().any(|finding| finding.place == "timm.smoothing"));
}

#[test]
fn what_a_run_asks_for_beyond_feedline_is_refused_by_the_names_of_the_file() {
    for (name, value) in [
        ("aa", json!("rand-q3")),
        ("aug_repeats", json!(3)),
        ("aug_splits", json!(3)),
        ("cutmix_minmax", json!([0.2, 0.8])),
        ("in_chans", json!(1)),
        ("mixup_mode", json!("pair")),
        ("remode", json!("shape")),
        ("resplit", json!(true)),
        ("scale", json!([0.5])),
        ("smoothing", json!(2)),
        ("train_crop_mode", json!("rkrc")),
        ("train_interpolation", json!("hamming")),
        ("unknown", json!(1)),
    ] {
        assert_eq!(places(&run(&[(name, value.clone())])), [format!("timm.{name}")], "{value}");
    }
    // Without the model's configuration, what is left to it is missing.
    let alone = import(Origin::Timm, ARGS, Syntax::Yaml, false).expect("arguments of a run");
    assert_eq!(places(&alone), ["timm.img_size", "timm.mean", "timm.std"]);
    let said = [("img_size", json!(160)), ("mean", json!([0.5])), ("std", json!([0.5, 0.5, 0.5]))];
    let alone = import(Origin::Timm, &changed(&said), Syntax::Json, false).expect("arguments of a run");
    assert_eq!(places(&alone), [""; 0]);
    let normalize = ops(&alone)[4]["normalize"].take();
    assert_eq!(normalize, json!({ "mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5] }));
}

#[test]
fn what_timm_saves_of_a_model_is_read_in_both_forms() {
    let read = |name: &str| {
        let text = fs::read_to_string(data(name)).expect("a configuration");
        import(Origin::Timm, &text, Syntax::Json, false).expect("a configuration")
    };
    let (hub, memory) = (read("timm/config.json"), read("timm/pretrained_cfg.json"));
    assert_eq!(places(&hub), [""; 0]);
    assert_eq!(places(&memory), [""; 0]);
    assert_eq!(hub.pipeline(), memory.pipeline());
    assert_eq!(ops(&hub)[0], json!({ "resize": { "shortest_edge": 256, "filter": "bicubic" } }));
    assert!(import_timm((ARGS, Syntax::Yaml), ("{}", Syntax::Json)).is_err());
}
