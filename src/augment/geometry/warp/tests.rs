use super::*;
use crate::seed::{Key, Purpose};
use crate::simd;

fn noise(size: Size) -> Vec<u8> {
    let mut rng = Key { seed: 9, epoch: 0, position: 0, view: 0, op: 0, purpose: Purpose::Op }.rng();
    (0..size.area() * 3).map(|_| rng.below(256) as u8).collect()
}

fn warping(filter: v1::Filter, border: v1::Border) -> Warping {
    let size = Size::new(9, 9);
    let form = Form { smallest: size, largest: size, channels: 3, depth: crate::image::Depth::U8 };
    Warping::new((filter.into(), Filter::Bilinear), border.into(), &[7.0, 99.0, 255.0], 3, form).expect("valid")
}

#[test]
fn the_loops_for_rgb_agree_with_the_plain_ones_to_the_bit() {
    let turned = [0.9, -0.4, 3.3, 0.35, 1.1, -4.7];
    let shrunk = [2.5, 0.0, -9.0, 0.0, 2.5, -9.0];
    for size in [Size::new(1, 1), Size::new(3, 5), Size::new(4, 4), Size::new(5, 4), Size::new(31, 23)] {
        let values = noise(size);
        for filter in [v1::Filter::Nearest, v1::Filter::Bilinear, v1::Filter::Bicubic] {
            for border in [v1::Border::Constant, v1::Border::Edge, v1::Border::Reflect, v1::Border::Symmetric] {
                for matrix in [turned, shrunk, [1.0, 0.0, 0.25, 0.0, 1.0, 0.5]] {
                    let warp = warping(filter, border);
                    let made = [Level::Baseline, Level::Avx512].map(|level| {
                        simd::limit(level);
                        let image = Image::from_u8(size, 3, &values[..]);
                        warp.apply(image, &Backward::Affine(matrix), Size::new(33, 21), &mut Scratch::default())
                    });
                    simd::limit(Level::Avx512);
                    assert_eq!(made[0], made[1], "{size} {filter:?} {border:?} {matrix:?}");
                }
            }
        }
    }
}

#[test]
fn a_map_that_moves_nothing_changes_nothing() {
    let size = Size::new(13, 8);
    let values = noise(size);
    for filter in [v1::Filter::Nearest, v1::Filter::Bilinear, v1::Filter::Bicubic] {
        let columns: Vec<f32> = (0..13_u8).map(f32::from).collect();
        let rows: Vec<f32> = (0..8_u8).map(f32::from).collect();
        for backward in [
            Backward::Affine([1.0, 0.0, 0.0, 0.0, 1.0, 0.0]),
            Backward::Projective([3.0, 0.0, 0.0, 0.0, 3.0, 0.0, 0.0, 0.0, 3.0]),
            Backward::Lines(&columns, &rows),
        ] {
            let image = Image::from_u8(size, 3, &values[..]);
            let made = warping(filter, v1::Border::Edge).apply(image, &backward, size, &mut Scratch::default());
            assert_eq!(made.as_u8(), Some(&values[..]), "{filter:?}");
        }
    }
}

#[test]
fn places_that_no_image_has_are_beyond_the_edge() {
    let size = Size::new(4, 3);
    let values = noise(size);
    let wild = [f64::NAN, f64::INFINITY, -1e300, 1e300, 1e12, -1e12];
    for filter in [v1::Filter::Nearest, v1::Filter::Bilinear, v1::Filter::Bicubic] {
        for border in [v1::Border::Constant, v1::Border::Edge, v1::Border::Reflect, v1::Border::Symmetric] {
            for a in wild {
                for backward in [
                    Backward::Affine([a, a, 0.0, 0.0, a, a]),
                    Backward::Projective([a, 1.0, 0.0, 0.0, a, 1.0, a, 0.0, 0.0]),
                ] {
                    let image = Image::from_u8(size, 3, &values[..]);
                    let made = warping(filter, border).apply(image, &backward, size, &mut Scratch::default());
                    assert_eq!(made.size(), size);
                }
            }
        }
    }
}
