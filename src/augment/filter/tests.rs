use super::{box_blur, separable};
use crate::augment::op::Scratch;
use crate::image::{Image, Pixels, Size};
use crate::simd::Level;

fn noise(length: usize) -> Vec<u8> {
    let mut state = 3_u32;
    let step = |state: &mut u32| {
        *state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (*state >> 24) as u8
    };
    (0..length).map(|_| step(&mut state)).collect()
}

#[test]
fn every_level_convolves_alike() {
    let weights = [0.3, 0.2, 0.1, 0.05];
    for (size, channels) in [(Size::new(1, 1), 3), (Size::new(2, 5), 1), (Size::new(37, 8), 3), (Size::new(100, 3), 1)]
    {
        let bytes = noise(size.area() as usize * channels);
        let floats: Vec<f32> = bytes.iter().map(|x| f32::from(*x) / 254.3).collect();
        let made = |level| {
            let mut a = Image::from_u8(size, channels, bytes.clone());
            let mut b = Image::from_f32(size, channels, floats.clone());
            let mut scratch = Scratch::default();
            separable::convolve_at(level, &mut a, &weights, 1.0, None, &mut scratch);
            separable::convolve_at(level, &mut b, &weights, 1.0, Some(1.0), &mut scratch);
            (a, b)
        };
        let plain = made(Level::Baseline);
        Level::ALL.into_iter().for_each(|level| assert!(made(level) == plain, "{size} at {level:?}"));
    }
}

#[test]
fn a_filter_whose_weights_are_one_in_all_keeps_a_flat_image() {
    let image = Image::from_u8(Size::new(40, 3), 3, vec![200; 360]);
    let mut blurred = image.clone();
    separable::convolve(&mut blurred, &[0.5, 0.25], 1.0, None, &mut Scratch::default());
    assert!(blurred == image);
}

#[test]
fn means_of_any_side_are_those_of_the_plain_sum_at_every_level() {
    let size = Size::new(41, 7);
    for (channels, side) in [1, 3].into_iter().flat_map(|channels| [1, 3, 7, 15, 17, 63].map(|side| (channels, side))) {
        let values = noise(size.area() as usize * channels);
        let radius = side as i64 / 2;
        let around = |at: usize| {
            let (pixel, channel) = (at / channels, at % channels);
            let (y, x) = ((pixel / 41) as i64, (pixel % 41) as i64);
            let reflect = super::border::Beyond::Reflect;
            let row = move |dy: i64| reflect.index(y + dy, 7) * 41;
            let place = move |dy, dx: i64| (row(dy) + reflect.index(x + dx, 41)) * channels + channel;
            (-radius..=radius).flat_map(move |dy| (-radius..=radius).map(move |dx| place(dy, dx)))
        };
        let mean = |at: usize| {
            let sum: usize = around(at).map(|place| usize::from(values[place])).sum();
            ((sum + side * side / 2) / (side * side)) as u8
        };
        let expected: Vec<u8> = (0..values.len()).map(mean).collect();
        for level in Level::ALL {
            let mut found = values.clone();
            box_blur::bytes(level, &mut found, size, channels, side, &mut Scratch::default());
            assert!(found == expected, "side {side} of {channels} channels at {level:?}");
        }
    }
}

#[test]
fn floats_pass_through_8_bits_at_either_scale() {
    for full in [1.0, 255.0] {
        let image = Image::from_f32(Size::new(4, 1), 1, vec![0.0, 0.5 * full, full, f32::NAN]);
        let made = super::through_bytes(image, full, &mut Scratch::default(), |image, _| {
            assert_eq!(image.as_u8(), Some(&[0, 128, 255, 0][..]));
            image
        });
        assert!(matches!(made.into_pixels(), Pixels::F32(values) if values[2] == full));
    }
}
