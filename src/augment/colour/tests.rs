//! What the ops of colour refuse, and what they leave alone. That they equal their references is for the golden files.

use feedline_proto::{rule, v1};

use crate::augment::{Pipeline, Recorded, Refusal, Scratch};
use crate::image::{Depth, Form, Image, Size};
use crate::sample::Sample;
use crate::seed::{Key, Purpose};

const SIZE: Size = Size::new(4, 2);

fn build(op: &str, channels: usize, depth: Depth) -> Result<Pipeline, Refusal> {
    let op: v1::Op = serde_json::from_str(op).expect("as the contract spells it");
    let message = rule::with_defaults(&v1::Pipeline { ops: vec![op], ..Default::default() });
    Pipeline::build(&message, Form { smallest: SIZE, largest: SIZE, channels, depth })
}

fn refusal(op: &str, channels: usize, depth: Depth) -> String {
    build(op, channels, depth).err().map(|refusal| refusal.to_string()).unwrap_or_default()
}

#[test]
fn brightness_has_no_meaning_after_normalize() {
    for op in [
        r#"{"brightness": {"factor": [1, 1]}}"#,
        r#"{"contrast": {"factor": [1, 1]}}"#,
        r#"{"saturation": {"factor": [1, 1]}}"#,
        r#"{"hue": {"delta": [0, 0]}}"#,
        r#"{"color_jitter": {"hue": [0, 0]}}"#,
        r#"{"solarize": {}}"#,
        r#"{"equalize": {}}"#,
        r#"{"clahe": {}}"#,
    ] {
        assert!(refusal(op, 3, Depth::F32 { full: None }).contains("after `normalize`"), "{op}");
        assert!(build(op, 3, Depth::F32 { full: Some(255.0) }).is_ok(), "{op}");
    }
    assert!(build(r#"{"grayscale": {}}"#, 3, Depth::F32 { full: None }).is_ok(), "gray is the same at any scale");
    assert!(build(r#"{"clip": {}}"#, 3, Depth::F32 { full: None }).is_ok());
}

#[test]
fn recorded_parameters_may_be_any_numbers() {
    let floats = Depth::F32 { full: Some(1.0) };
    for (op, params) in [
        ("random_brightness_contrast", r#"{"alpha": X, "beta": X}"#),
        ("solarize", "X"),
        ("posterize", "4000000000"),
        ("hue_saturation_value", r#"{"hue_shift": X, "sat_shift": X, "val_shift": X}"#),
        ("gamma", "X"),
        ("rgb_shift", "[X, X, X]"),
        ("channel_shuffle", "[255, 7, 0]"),
        ("clahe", "X"),
        ("fancy_pca", "[X, X, X]"),
        ("hsv_gain", "[X, X, X]"),
        ("random_tone_curve", r#"{"low_y": [X, X, X], "high_y": [X, X, X]}"#),
        (
            "photometric_distort",
            r#"{"brightness": X, "contrast": X, "saturation": X, "hue": X, "contrast_before": true, "channels": [9, 9, 9]}"#,
        ),
    ] {
        for number in ["0", "1e300", "-1e300", "1e-300", "-1"] {
            for (channels, depth) in [(1, Depth::U8), (3, Depth::U8), (1, floats), (3, floats)] {
                let pipeline = build(&format!(r#"{{"{op}": {{}}}}"#), channels, depth).expect("an op of defaults");
                let params = serde_json::from_str(&params.replace('X', number)).expect("JSON");
                let record = [Recorded { number: 0, op: op.to_owned(), params }];
                let values: Vec<u8> = (0..SIZE.area() as u8 * channels as u8).map(|x| x * 9).collect();
                let image = match depth {
                    Depth::U8 => Image::from_u8(SIZE, channels, values),
                    Depth::F32 { .. } => {
                        let values = values.iter().map(|x| f32::from(*x) / 255.0).collect();
                        Image::from_f32(SIZE, channels, values)
                    }
                };
                let made = pipeline.replay(Sample::new(image, 0), &record, &mut Scratch::default());
                assert_eq!(made.map(|sample| sample.image.size()), Ok(SIZE), "{op} {number}");
            }
        }
    }
}

#[test]
fn methods_are_refused_where_their_reference_has_none() {
    let floats = Depth::F32 { full: Some(1.0) };
    for op in ["contrast", "saturation"] {
        let op = format!(r#"{{"{op}": {{"factor": [1, 1], "method": "pillow"}}}}"#);
        assert!(refusal(&op, 3, floats).contains("method is pillow on floats, expected an image of 8 bits"), "{op}");
    }
    assert!(refusal(r#"{"grayscale": {"method": "pillow"}}"#, 3, floats).contains("pillow on floats"));
    assert!(refusal(r#"{"color_jitter": {"method": "pillow"}}"#, 3, floats).contains("pillow on floats"));
    for op in [
        r#"{"saturation": {"factor": [1, 1], "method": "tensorflow"}}"#,
        r#"{"hue": {"delta": [0, 0], "method": "tensorflow"}}"#,
        r#"{"grayscale": {"method": "tensorflow"}}"#,
    ] {
        assert!(refusal(op, 1, Depth::U8).contains("tensorflow on an image of 1 channel"), "{op}");
    }
}

#[test]
fn refusals_name_field_found_and_expected() {
    for (op, expected) in [
        (r#"{"brightness": {}}"#, "brightness is without `delta` and `factor`, expected one of them"),
        (
            r#"{"brightness": {"delta": [0, 0], "factor": [1, 1]}}"#,
            "brightness.factor is set beside `delta`, expected one",
        ),
        (r#"{"hue": {"delta": [-0.7, 0]}}"#, "hue.delta is [-0.7, 0.0], expected numbers from -0.5 to 0.5"),
        (r#"{"grayscale": {"channels": 2}}"#, "grayscale.channels is 2, expected 1 or 3"),
        (r#"{"grayscale": {"channels": 1, "p": 0.5}}"#, "grayscale.p is"),
        (
            r#"{"equalize": {"by_channels": false}}"#,
            "equalize.by_channels is false with the method pillow, expected true",
        ),
        (r#"{"auto_contrast": {"cutoff": 1}}"#, "auto_contrast.cutoff is 1, expected 0 with the method torchvision"),
        (r#"{"gamma": {"gain": 2, "method": "albumentations"}}"#, "gamma.gain is 2, expected 1 with the method"),
        (r#"{"clip": {}}"#, "clip.max is 1, expected a whole number from 2 to 255"),
        (r#"{"clip": {"min": 0.5, "max": 9}}"#, "clip.min is 0.5, expected a whole number"),
        (r#"{"clip": {"min": 9, "max": 5}}"#, "clip.min is 9, expected at most `max`, which is 5"),
    ] {
        let found = refusal(op, 3, Depth::U8);
        assert!(found.contains(expected), "{found}");
    }
}

#[test]
fn one_channel_keeps_its_saturation_and_hue() {
    let gray = Image::from_u8(SIZE, 1, vec![0, 1, 50, 100, 128, 200, 254, 255]);
    for op in [
        r#"{"saturation": {"factor": [0, 0]}}"#,
        r#"{"saturation": {"factor": [2, 2], "method": "pillow"}}"#,
        r#"{"hue": {"delta": [0.3, 0.3]}}"#,
        r#"{"grayscale": {"channels": 1}}"#,
        r#"{"color_jitter": {"saturation": [0, 0], "hue": [0.2, 0.2]}}"#,
        r#"{"color_jitter": {"saturation": [0, 0], "hue": [0.2, 0.2], "method": "albumentations"}}"#,
        r#"{"color_jitter": {"saturation": [0, 0], "hue": [0.2, 0.2], "method": "pillow"}}"#,
    ] {
        let pipeline = build(op, 1, Depth::U8).expect("an op for one channel");
        let key = Key { seed: 0, epoch: 0, position: 0, view: 0, op: 0, purpose: Purpose::Op };
        let made = pipeline.run(Sample::new(gray.clone(), 0), key, &mut Scratch::default());
        assert_eq!(made.image, gray, "{op}");
    }
}

#[test]
fn every_method_of_the_jitter_takes_any_amount_that_is_recorded() {
    for method in ["torchvision", "albumentations", "pillow"] {
        for (channels, depth) in [(1, Depth::U8), (3, Depth::U8), (3, Depth::F32 { full: Some(1.0) })] {
            let op = format!(r#"{{"color_jitter": {{"method": "{method}"}}}}"#);
            let Ok(pipeline) = build(&op, channels, depth) else { continue };
            for amount in [0.0, -1.0, 1e-300, 1e9, 1e300, -1e300] {
                let order = ["hue", "contrast", "brightness", "saturation"];
                let params = serde_json::json!({ "brightness": amount, "contrast": amount, "saturation": amount,
                    "hue": amount, "order": order });
                let record = [Recorded { number: 0, op: "color_jitter".into(), params }];
                let image = match depth {
                    Depth::U8 => {
                        Image::from_u8(SIZE, channels, (0..8 * channels as u8).map(|x: u8| x * 9).collect::<Vec<u8>>())
                    }
                    Depth::F32 { .. } => {
                        Image::from_f32(SIZE, 3, (0_u8..24).map(|x| f32::from(x) / 23.0).collect::<Vec<f32>>())
                    }
                };
                let made = pipeline.replay(Sample::new(image, 0), &record, &mut Scratch::default());
                assert_eq!(made.map(|sample| sample.image.size()), Ok(SIZE), "{method} {amount}");
            }
        }
    }
}
