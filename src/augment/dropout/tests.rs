use super::hole::{Bell, Fill, Hole, Holes};
use crate::image::{Image, Size};
use crate::sample::{BoundingBox, Keypoint, Mask, Sample};

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
