use feedline_proto::v1;

use super::hole::{Bell, Fill, Hole, Holes};
use crate::augment::{Pipeline, Recorded, Scratch};
use crate::image::{Depth, Form, Image, Size};
use crate::sample::{BoundingBox, Keypoint, Mask, Sample};
use crate::seed::{Key, Purpose};

fn hole(x: u32, y: u32, width: u32, height: u32) -> Hole {
    Hole { x, y, width, height }
}

#[test]
fn annotations_know_of_holes_even_beyond_the_image() {
    let size = Size::new(6, 4);
    let mut sample = Sample::new(Image::from_u8(size, 1, vec![9; 24]), 0);
    let marked = |x_min, y_min, x_max, y_max| BoundingBox { x_min, y_min, x_max, y_max, label: 0 };
    sample.boxes = vec![marked(0.0, 0.0, 4.0, 2.0), marked(2.5, 0.0, 3.5, 2.0), marked(0.25, 3.0, 5.5, 4.0)];
    sample.keypoints = vec![Keypoint::new(2.0, 1.0), Keypoint::new(1.9, 1.0), Keypoint::new(2.0, 3.0)];
    sample.masks = vec![Mask { size, classes: vec![1; 24] }];
    let holes = Holes { holes: vec![hole(2, 0, u32::MAX, 3), hole(u32::MAX, 9, 1, u32::MAX)], seed: 0 };
    holes.annotate(&mut sample, Some(7));
    assert_eq!(sample.boxes, [marked(0.0, 0.0, 2.0, 2.0), marked(0.25, 3.0, 5.5, 4.0)]);
    assert_eq!(sample.keypoints, [Keypoint::new(1.9, 1.0), Keypoint::new(2.0, 3.0)]);
    let classes = sample.masks.remove(0).classes;
    assert_eq!(classes.iter().filter(|class| **class == 7).count(), 12);
    holes.fill(&mut sample.image, &Fill::Constant([3.0; 3]));
    assert_eq!(sample.image.as_u8().expect("bytes").iter().filter(|x| **x == 3).count(), 12);
}

#[test]
fn random_fills_have_their_distribution() {
    let size = Size::new(100, 100);
    let holes = Holes { holes: vec![hole(0, 0, 100, 50), hole(0, 50, 100, 50)], seed: 5 };
    let moments = |fill: Fill, full: f32| {
        let mut image = Image::from_f32(size, 3, vec![0.0; 30_000]);
        holes.fill(&mut image, &fill);
        let values: Vec<f64> = image.as_f32().expect("floats").iter().map(|x| f64::from(x / full)).collect();
        let mean = values.iter().sum::<f64>() / 30_000.0;
        (mean, values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 30_000.0)
    };
    let (mean, variance) = moments(Fill::Random(255.0), 255.0);
    assert!((mean - 0.5).abs() < 0.01 && (variance - 1.0 / 12.0).abs() < 0.002, "{mean} {variance}");
    let (mean, variance) = moments(Fill::Normal(Bell { mean: 0.0, deviation: 1.0, full: None }), 1.0);
    assert!(mean.abs() < 0.03 && (variance - 1.0).abs() < 0.03, "{mean} {variance}");
    let mut image = Image::from_u8(size, 3, vec![0; 30_000]);
    holes.fill(&mut image, &Fill::RandomUniform(255.0));
    let pixels = image.as_u8().expect("bytes").as_chunks::<3>().0;
    assert!(pixels[..5000].iter().all(|pixel| *pixel == pixels[0]) && pixels[0] != pixels[5000]);
}

fn erasing(fields: &str, size: Size) -> Result<Pipeline, String> {
    erasing_as("albumentations", fields, size)
}

fn erasing_as(method: &str, fields: &str, size: Size) -> Result<Pipeline, String> {
    let text = format!(r#"{{"random_erasing": {{"p": 1, "method": "{method}"{fields}}}}}"#);
    let op: v1::Op = serde_json::from_str(&text).expect("as the contract spells it");
    let message = feedline_proto::rule::with_defaults(&v1::Pipeline { ops: vec![op], ..Default::default() });
    let form = Form { smallest: size, largest: size, channels: 1, depth: Depth::U8 };
    Pipeline::build(&message, form).map_err(|refusal| refusal.to_string())
}

#[test]
fn rectangles_of_albumentations_have_uniform_areas_and_ratios() {
    let size = Size::new(400, 300);
    // At a ratio of 2 the width is the limit, which leaves 0.667 of the image; at 0.5 the height, 0.375 of it.
    let pipeline = erasing(r#", "scale": [0.1, 0.9], "ratio": [0.5, 2]"#, size).expect("builds");
    let mut found: Vec<(f64, f64)> = Vec::new();
    for position in 0..4000 {
        let key = Key { seed: 1, epoch: 0, position, view: 0, op: 0, purpose: Purpose::Op };
        let sample = Sample::new(Image::from_u8(size, 1, vec![9; 120_000]), 0);
        let (_, record) = pipeline.run_recorded(sample, key, &mut Scratch::default());
        let side = |name: &str| record[0].params["holes"][0][name].as_f64().expect("a side");
        found.push((side("width") * side("height") / 120_000.0, side("width") / side("height")));
    }
    let mean = |of: fn(&(f64, f64)) -> f64| found.iter().map(of).sum::<f64>() / 4000.0;
    let most = found.iter().map(|(area, _)| *area).fold(0.0, f64::max);
    assert!((0.36..0.378).contains(&most), "{most}");
    assert!((mean(|(area, _)| *area) - (0.1 + 0.375) / 2.0).abs() < 0.005, "{}", mean(|(area, _)| *area));
    // Uniform from 0.5 to 2, not in its logarithm, whose mean would be 1.08.
    assert!((mean(|(_, ratio)| *ratio) - 1.25).abs() < 0.02, "{}", mean(|(_, ratio)| *ratio));
}

#[test]
fn what_fits_nowhere_is_not_erased_and_what_has_no_meaning_refused() {
    // Ratios that no area fits, and an area of nothing.
    for (fields, holes) in [(r#", "scale": [0.5, 0.9], "ratio": [0.01, 100]"#, 0), (r#", "scale": [0, 0]"#, 1)] {
        let pipeline = erasing(fields, Size::new(5, 4)).expect("builds");
        let key = Key { seed: 1, epoch: 0, position: 0, view: 0, op: 0, purpose: Purpose::Op };
        let sample = Sample::new(Image::from_u8(Size::new(5, 4), 1, vec![9; 20]), 0);
        let (sample, record) = pipeline.run_recorded(sample, key, &mut Scratch::default());
        assert_eq!(record[0].params["holes"].as_array().map(Vec::len), Some(holes), "{fields}");
        assert!(sample.image.as_u8().expect("bytes").iter().all(|x| *x == 9), "{fields}");
    }
    let found = erasing(r#", "count": [1, 3]"#, Size::new(5, 4)).err().unwrap_or_default();
    assert!(found.contains("random_erasing.count is [1, 3], expected [1, 1]"), "{found}");
    let found = erasing_as("torchvision", r#", "fill_mask": 3"#, Size::new(5, 4)).err().unwrap_or_default();
    assert!(found.contains("random_erasing.fill_mask is set, expected the method albumentations"), "{found}");
    let record = r#"{ "holes": [{ "x": 4294967295, "y": 9, "width": 4294967295, "height": 1 }], "seed": 0 }"#;
    let record =
        [Recorded { number: 0, op: "random_erasing".into(), params: serde_json::from_str(record).expect("JSON") }];
    let pipeline = erasing("", Size::new(5, 4)).expect("builds");
    let sample = Sample::new(Image::from_u8(Size::new(5, 4), 1, vec![9; 20]), 0);
    assert!(pipeline.replay(sample, &record, &mut Scratch::default()).is_ok());
}
