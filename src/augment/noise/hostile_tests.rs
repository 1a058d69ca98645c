//! Records come from users: whatever numbers stand in them, nothing panics and the image keeps its form.

use feedline_proto::{rule, v1};

use crate::augment::{Pipeline, Recorded, Scratch};
use crate::image::{Depth, Form, Image, Size};
use crate::sample::{BoundingBox, Keypoint, Mask, Sample};

const RECORDS: &[(&str, &str, &str)] = &[
    ("gaussian_blur", "", r#"{"size": 4294967295, "sigma": -1e308}"#),
    ("gaussian_blur", "", r#"{"size": 9, "sigma": 1e-320}"#),
    ("gaussian_blur", r#""method": "albumentations""#, r#"{"size": 4294967295, "sigma": 1e308}"#),
    ("median_blur", "", "4294967295"),
    ("median_blur", "", "0"),
    ("box_blur", "", "4294967295"),
    ("motion_blur", "", r#"{"side": 4294967295, "angle": 1e308, "direction": -1e308, "shift": [1e308, -1e308]}"#),
    ("adjust_sharpness", r#""factor": [1, 1]"#, "-1e308"),
    ("sharpen", "", r#"{"alpha": 1e308, "lightness": -1e308}"#),
    ("jpeg", "", "4294967295"),
    ("downscale", "", "-1e308"),
    ("downscale", "", "1e-320"),
    ("multiplicative_noise", "", r#"{"multiplier": [1e308, -1e308]}"#),
    ("multiplicative_noise", "", r#"{"field": [1e30, -1e30]}"#),
    ("gauss_noise", "", r#"{"std": 1e308, "mean": -1e308, "field": 18446744073709551615}"#),
    ("iso_noise", "", r#"{"color_shift": 1e308, "intensity": 1e308, "luminance": 1, "color": 2}"#),
    ("iso_noise", "", r#"{"color_shift": -1e308, "intensity": -1e308, "luminance": [1e38], "color": [-1e38]}"#),
    ("shot_noise", "", r#"{"scale": 1e-320, "photons": 4}"#),
    ("shot_noise", "", r#"{"scale": -1.0, "photons": [1e38, -1e38]}"#),
    ("salt_and_pepper", "", r#"{"amount": 1e308, "salt_vs_pepper": -1e308, "positions": 1}"#),
    ("salt_and_pepper", "", r#"{"amount": 0, "salt_vs_pepper": 1e308, "positions": [4294967295, 0, 0]}"#),
    ("coarse_dropout", r#""fill": "random", "fill_mask": 3"#, HOLES),
    ("random_erasing", r#""mode": "pixel""#, HOLES),
    ("random_erasing", "", HOLES),
    ("grid_dropout", r#""fill": "random_uniform""#, HOLES),
    ("pixel_dropout", "", "[-1e38]"),
];

const HOLES: &str = r#"{"holes": [{"x": 4294967295, "y": 1, "width": 4294967295, "height": 4294967295},
    {"x": 1, "y": 0, "width": 4294967295, "height": 4294967295}, {"x": 0, "y": 0, "width": 0, "height": 0}], "seed": 1}"#;

#[test]
fn no_record_breaks_an_op() {
    for (name, fields, record) in RECORDS {
        for (size, channels) in [(Size::new(1, 1), 3), (Size::new(7, 3), 1), (Size::new(70, 2), 3)] {
            if *name == "iso_noise" && channels == 1 {
                continue;
            }
            let bytes: Vec<u8> = (0..size.area() as usize * channels).map(|x| (x * 37) as u8).collect();
            let floats = bytes.iter().map(|x| f32::from(*x) / 255.0).collect();
            let images = [
                (Image::from_u8(size, channels, bytes), Depth::U8),
                (Image::from_f32(size, channels, floats), Depth::F32 { full: Some(1.0) }),
            ];
            for (image, depth) in images {
                let op = serde_json::from_str(&format!(r#"{{"{name}": {{{fields}}}}}"#)).expect("an op");
                let message = rule::with_defaults(&v1::Pipeline { ops: vec![op], ..Default::default() });
                let form = Form { smallest: size, largest: size, channels, depth };
                let pipeline = Pipeline::build(&message, form).expect("a valid op");
                let params = serde_json::from_str(record).expect("JSON");
                let record = Recorded { number: 0, op: (*name).to_owned(), params };
                let mut sample = Sample::new(image, 0);
                sample.masks = vec![Mask { size, classes: vec![1; size.area() as usize] }];
                sample.boxes = vec![BoundingBox { x_min: -3.0, y_min: 0.5, x_max: 1e9, y_max: f64::NAN, label: 0 }];
                sample.keypoints = vec![Keypoint::new(-1.0, f64::INFINITY)];
                let made = pipeline.replay(sample, &[record], &mut Scratch::default()).expect(name);
                assert_eq!((made.image.size(), made.image.channels()), (size, channels), "{name}");
                assert_eq!(made.image.as_u8().is_some(), depth == Depth::U8, "{name}");
            }
        }
    }
}
