//! OpenCV's HSV of floats: hue in degrees, saturation from 0 to 1, value.

use crate::simd::Kernel;

/// Turns the hue of RGB, from 0 to `full`, by `delta` turns.
pub(super) fn turn(values: &mut [f32], delta: f64, full: f32) {
    Turn { pixels: values.as_chunks_mut().0, degrees: (delta * 360.0) as f32, full }.dispatch();
}

struct Turn<'a> {
    pixels: &'a mut [[f32; 3]],
    degrees: f32,
    full: f32,
}

impl Kernel for Turn<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        // OpenCV's is of a full scale of 1.
        let least = f32::EPSILON * self.full;
        for pixel in self.pixels {
            let [hue, saturation, value] = forth(*pixel, least);
            *pixel = back([hue + self.degrees, saturation, value]);
        }
    }
}

#[inline(always)]
fn forth([r, g, b]: [f32; 3], least: f32) -> [f32; 3] {
    let (high, low) = (larger(r, larger(g, b)), smaller(r, smaller(g, b)));
    let range = high - low;
    let per = 60.0 / (range + least);
    let of_others = select(high == g, (b - r) * per + 120.0, (r - g) * per + 240.0);
    let hue = select(high == r, (g - b) * per, of_others);
    [hue + select(hue < 0.0, 360.0, 0.0), range / (high.abs() + least), high]
}

/// Of any hue; a number that is none becomes the value.
#[inline(always)]
fn back([hue, s, v]: [f32; 3]) -> [f32; 3] {
    let turns = (hue * (1.0 / 360.0)).floor();
    let sixths = (hue - turns * 360.0) * (6.0 / 360.0);
    // Rounding may leave a whole turn.
    let sixths = select(sixths >= 6.0, sixths - 6.0, sixths);
    let sector = sixths.floor();
    let along = sixths - sector;
    let p = v * (1.0 - s);
    let q = v * (1.0 - s * along);
    let t = v * (1.0 - s * (1.0 - along));
    let is = |number: f32| sector == number;
    let r = select(is(1.0), q, select(is(2.0) | is(3.0), p, select(is(4.0), t, v)));
    let g = select(is(0.0), t, select(is(1.0) | is(2.0), v, select(is(3.0), q, p)));
    let b = select(is(2.0), t, select(is(3.0) | is(4.0), v, select(is(5.0), q, p)));
    [r, g, b]
}

#[inline(always)]
fn select(first: bool, a: f32, b: f32) -> f32 {
    if first { a } else { b }
}

/// One instruction, unlike `f32::max` with its care for NaN.
#[inline(always)]
fn larger(a: f32, b: f32) -> f32 {
    if a > b { a } else { b }
}

#[inline(always)]
fn smaller(a: f32, b: f32) -> f32 {
    if a < b { a } else { b }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::Level;

    #[test]
    fn primaries_turn_into_each_other_and_gray_stays() {
        for full in [1.0, 255.0] {
            let mut values = [full, 0.0, 0.0, 0.0, full, full, 0.3 * full, 0.3 * full, 0.3 * full, 0.0, 0.0, 0.0];
            turn(&mut values, 1.0 / 3.0, full);
            let expected = [0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 0.3, 0.3, 0.3, 0.0, 0.0, 0.0];
            for (found, expected) in values.iter().zip(expected) {
                assert!((found - expected * full).abs() <= 2e-6 * full, "{values:?}");
            }
        }
    }

    #[test]
    fn every_level_gives_the_same_bits() {
        let values: Vec<f32> = (0..3 * 1001).map(|i| (i as f32 * 0.37).sin().abs()).chain([f32::NAN; 3]).collect();
        let turned = |level| {
            let mut values = values.clone();
            Turn { pixels: values.as_chunks_mut().0, degrees: -133.0, full: 1.0 }.run_at(level);
            values.into_iter().map(f32::to_bits).collect::<Vec<_>>()
        };
        for level in Level::ALL {
            assert_eq!(turned(level)[..3003], turned(Level::Baseline)[..3003], "{level:?}");
        }
    }
}
