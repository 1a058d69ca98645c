//! The fast pass against the plain formulas, at every level.

use super::*;
use crate::seed::{Key, Purpose, Rng};

/// torchvision's formulas, pixel by pixel.
fn plain(pixels: &mut [u8], steps: &[Step]) -> u64 {
    let mut total = 0;
    for pixel in pixels.as_chunks_mut::<3>().0 {
        for step in steps {
            let gray = f32::from(gray(pixel[0], pixel[1], pixel[2]));
            *pixel = pixel.map(|x| {
                let x = f32::from(x);
                let y = match *step {
                    Step::Line { scale, offset } => scale * x + offset,
                    Step::Blend { ratio, rest } => ratio * x + rest * gray,
                };
                y.clamp(0.0, 255.0) as u8
            });
        }
        total += u64::from(gray(pixel[0], pixel[1], pixel[2]));
    }
    total
}

fn rng(position: u64) -> Rng {
    Key { seed: 1, epoch: 0, position, view: 0, op: 0, purpose: Purpose::Op }.rng()
}

fn noise(len: usize, rng: &mut Rng) -> Vec<u8> {
    (0..len).map(|_| rng.below(256) as u8).collect()
}

#[test]
fn every_shape_at_every_level_equals_the_plain_formulas() {
    let mut rng = rng(0);
    let factors = [0.0, 1e-9, 0.25, 0.6, 0.999_999, 1.0, 1.000_001, 1.4, 2.0, 17.3, 1000.0];
    for length in [0, 1, 2, 7, 8, 9, 10, 11, 15, 16, 17, 31, 33, 100] {
        for _ in 0..12 {
            let pixels = noise(3 * length, &mut rng);
            let count = rng.below(6) as usize;
            let steps: Vec<Step> = (0..count)
                .map(|_| {
                    let factor =
                        if rng.chance(0.3) { rng.uniform([0.0, 3.0]) } else { factors[rng.below(11) as usize] };
                    match rng.below(3) {
                        0 => Step::brightness(factor),
                        1 => Step::contrast(factor, rng.uniform([0.0, 255.0]) as f32),
                        _ => Step::saturation(factor),
                    }
                })
                .collect();
            let mut expected = pixels.clone();
            let sum = plain(&mut expected, &steps);
            for level in Level::ALL {
                for summing in [false, true] {
                    let mut values = pixels.clone();
                    let total = run(level, &mut values, &steps, summing);
                    assert_eq!(values, expected, "{level:?} {steps:?} {length}");
                    assert!(!summing || total == sum, "{level:?} {steps:?} {length}");
                }
            }
        }
    }
}

#[test]
fn gray_in_floats_is_exact_for_every_weighted_sum() {
    assert!(f64::from(TEN_THOUSANDTH) >= 1e-4 && f64::from(TEN_THOUSANDTH.next_down()) < 1e-4);
    for sum in 0_u32..=2_549_745 {
        assert_eq!((sum as f32 * TEN_THOUSANDTH) as u32, sum / 10_000, "{sum}");
    }
}

#[test]
fn gray_has_the_values_that_tell_the_conventions_apart() {
    assert_eq!([gray(255, 255, 255), gray(128, 128, 128), gray(1, 1, 1), gray(0, 255, 0)], [254, 127, 0, 149]);
    assert_eq!([gray(12, 34, 56), gray(5, 6, 7)], [29, 5]);
}

#[test]
fn numbers_beyond_the_contract_give_the_same_at_every_level() {
    let pixels = noise(3 * 40, &mut rng(1));
    for factor in [f64::NAN, f64::INFINITY, 1e300, -5.0] {
        let steps = [Step::brightness(factor), Step::saturation(factor), Step::contrast(factor, f32::NAN)];
        let mut expected = pixels.clone();
        run(Level::Baseline, &mut expected, &steps, false);
        for level in Level::ALL {
            let mut values = pixels.clone();
            run(level, &mut values, &steps, false);
            assert_eq!(values, expected, "{level:?} {factor}");
        }
    }
}

#[test]
fn sums_of_large_images_are_exact() {
    let mut white = vec![255; 3 * 1_200_000];
    for level in Level::ALL {
        assert_eq!(run(level, &mut white, &[], true), 254 * 1_200_000, "{level:?}");
    }
}
