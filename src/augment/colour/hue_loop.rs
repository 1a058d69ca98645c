//! Formulas that go through hue and saturation, without branches, so that the loop over pixels becomes vectors.

use super::pointwise::{clamp, cut};
use crate::image::ValuesMut;
use crate::simd::Kernel;

/// torchvision's `adjust_hue` of a tensor, turned by `delta`.
pub(super) fn torchvision_hue(values: ValuesMut<'_>, delta: f32, full: f32) {
    let turn = |pixel| turned_by_torchvision(pixel, delta);
    match values {
        // On the way out torchvision multiplies by 256 - 0.001.
        ValuesMut::U8(values) => Bytes { values, leave: 255.999, turn }.dispatch(),
        ValuesMut::F32(values) => Floats { values, full, turn }.dispatch(),
    }
}

/// `tf.image.adjust_hue`, turned by `delta`.
pub(super) fn tensorflow_hue(values: ValuesMut<'_>, delta: f32, full: f32) {
    tensorflow(values, full, |pixel| turned_by_tensorflow(pixel, delta));
}

/// `tf.image.adjust_saturation`.
pub(super) fn tensorflow_saturation(values: ValuesMut<'_>, factor: f32, full: f32) {
    tensorflow(values, full, |pixel| saturated_by_tensorflow(pixel, factor));
}

fn tensorflow(values: ValuesMut<'_>, full: f32, turn: impl Fn([f32; 3]) -> [f32; 3]) {
    match values {
        ValuesMut::U8(values) => Bytes { values, leave: 255.5, turn }.dispatch(),
        ValuesMut::F32(values) => Floats { values, full, turn }.dispatch(),
    }
}

/// Pixels that are done at a time.
const GROUP: usize = 16;

/// Values are multiplied by 1/255 on the way in, as torchvision and TensorFlow do, and by `leave` on the way out.
struct Bytes<'a, F> {
    values: &'a mut [u8],
    leave: f32,
    turn: F,
}

impl<F: Fn([f32; 3]) -> [f32; 3]> Kernel for Bytes<'_, F> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let one = |[r, g, b]: [u8; 3]| {
            let scale = 1.0 / 255.0;
            let [r, g, b] = (self.turn)([f32::from(r) * scale, f32::from(g) * scale, f32::from(b) * scale]);
            [cut(r * self.leave), cut(g * self.leave), cut(b * self.leave)]
        };
        let (groups, rest) = self.values.as_chunks_mut::<{ 3 * GROUP }>();
        for group in groups {
            // Colours apart, so that the middle loop works on whole vectors.
            let [mut r, mut g, mut b] = [[0; GROUP]; 3];
            for i in 0..GROUP {
                [r[i], g[i], b[i]] = [group[3 * i], group[3 * i + 1], group[3 * i + 2]];
            }
            for i in 0..GROUP {
                [r[i], g[i], b[i]] = one([r[i], g[i], b[i]]);
            }
            for i in 0..GROUP {
                [group[3 * i], group[3 * i + 1], group[3 * i + 2]] = [r[i], g[i], b[i]];
            }
        }
        rest.as_chunks_mut().0.iter_mut().for_each(|pixel| *pixel = one(*pixel));
    }
}

struct Floats<'a, F> {
    values: &'a mut [f32],
    full: f32,
    turn: F,
}

impl<F: Fn([f32; 3]) -> [f32; 3]> Kernel for Floats<'_, F> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for pixel in self.values.as_chunks_mut::<3>().0 {
            // Division and multiplication by 1 change nothing.
            *pixel = (self.turn)(pixel.map(|x| x / self.full)).map(|x| x * self.full);
        }
    }
}

#[inline(always)]
fn max(a: f32, b: f32) -> f32 {
    select(a > b, a, b)
}

#[inline(always)]
fn min(a: f32, b: f32) -> f32 {
    select(a < b, a, b)
}

#[inline(always)]
fn turned_by_torchvision([r, g, b]: [f32; 3], delta: f32) -> [f32; 3] {
    let (high, low) = (max(r, max(g, b)), min(r, min(g, b)));
    let (range, is_gray) = (high - low, high == low);
    let saturation = range / select(is_gray, 1.0, high);
    let divisor = select(is_gray, 1.0, range);
    let (rc, gc, bc) = ((high - r) / divisor, (high - g) / divisor, (high - b) / divisor);
    let sixths = select(high == r, bc - gc, select(high == g, rc + 2.0 - bc, gc + 4.0 - rc));
    let hue = fraction(sixths * (1.0 / 6.0) + 1.0);
    let sixths = fraction(hue + delta) * 6.0;
    let sector = sixths.floor();
    let along = saturation * (sixths - sector);
    let paler = 1.0 - saturation;
    let v = high;
    let q = clamp((1.0 - along) * v, 1.0);
    let t = clamp((along + paler) * v, 1.0);
    let p = clamp(paler * v, 1.0);
    // A hue that rounding has led to a whole turn is in sector 6, which is sector 0.
    let (ends, second, third) = (sector == 0.0 || sector == 6.0, sector == 1.0, sector == 2.0);
    let (fourth, fifth) = (sector == 3.0, sector == 4.0);
    let r = select(ends, v, select(second, q, select(third || fourth, p, select(fifth, t, v))));
    let g = select(ends, t, select(second || third, v, select(fourth, q, p)));
    let b = select(ends || second, p, select(third, t, select(fourth || fifth, v, q)));
    [r, g, b]
}

/// What is left of `x` beyond its floor, as Python's `x % 1`.
#[inline(always)]
fn fraction(x: f32) -> f32 {
    x - x.floor()
}

#[inline(always)]
fn turned_by_tensorflow([r, g, b]: [f32; 3], delta: f32) -> [f32; 3] {
    let (high, low) = (max(r, max(g, b)), min(r, min(g, b)));
    // The value that is neither: the larger of the smaller two.
    let middle = max(min(r, g), min(max(r, g), b));
    // The sector of six that the colour lies in, by which value is largest and which smallest.
    let rising = select(b < r, 1.0, select(b > g, 3.0, 2.0));
    let sector = select(r < g, rising, select(b < g, 0.0, select(b > r, 4.0, 5.0)));
    let (range, is_gray) = (high - low, high == low);
    let ratio = (middle - low) / select(is_gray, 1.0, range);
    let hue = select(is_gray, 0.0, sector + select(is_even(sector), ratio, 1.0 - ratio)) + delta * 6.0;
    // At most one turn off, since delta is at most one.
    let hue = select(hue < 0.0, hue + 6.0, hue);
    let hue = select(hue >= 6.0, hue - 6.0, hue);
    let sector = hue.floor();
    let ratio = hue - sector;
    let middle = low + select(is_even(sector), ratio, 1.0 - ratio) * range;
    place(sector, high, middle, low)
}

#[inline(always)]
fn saturated_by_tensorflow([r, g, b]: [f32; 3], factor: f32) -> [f32; 3] {
    let (v, low) = (max(r, max(g, b)), min(r, min(g, b)));
    let range = v - low;
    let saturation = select(v > 0.0, range / v, 0.0);
    let norm = 1.0 / (6.0 * range);
    let (green, blue) = (norm * (b - r) + 2.0 / 6.0, norm * (r - g) + 4.0 / 6.0);
    let hue = select(range <= 0.0, 0.0, select(r == v, norm * (g - b), select(g == v, green, blue)));
    let hue = select(hue < 0.0, hue + 1.0, hue);
    let saturation = clamp(saturation * factor, 1.0);
    let chroma = saturation * v;
    let (low, sixths) = (v - chroma, hue * 6.0);
    let along = (sixths - (sixths * 0.5).floor() * 2.0 - 1.0).abs();
    let middle = chroma * (1.0 - along);
    place(sixths.floor(), chroma + low, middle + low, low)
}

/// Which of red, green and blue is the largest, the middle and the smallest value in each of the six sectors of hue.
#[inline(always)]
fn place(sector: f32, high: f32, middle: f32, low: f32) -> [f32; 3] {
    let (first, second, third) = (sector == 0.0, sector == 1.0, sector == 2.0);
    let (fourth, fifth, sixth) = (sector == 3.0, sector == 4.0, sector == 5.0);
    let r = select(first || sixth, high, select(second || fifth, middle, low));
    let g = select(second || third, high, select(first || fourth, middle, low));
    let b = select(fourth || fifth, high, select(third || sixth, middle, low));
    [r, g, b]
}

/// Of the whole numbers from 0 to 5.
#[inline(always)]
fn is_even(sector: f32) -> bool {
    sector == 0.0 || sector == 2.0 || sector == 4.0
}

/// One of two values that are both computed, so that there is nothing to jump over.
#[inline(always)]
fn select(first: bool, a: f32, b: f32) -> f32 {
    if first { a } else { b }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::Level;

    fn colours() -> Vec<u8> {
        let steps = [0_u8, 1, 2, 50, 127, 128, 200, 254, 255];
        let mut all = Vec::new();
        for r in steps {
            for g in steps {
                steps.iter().for_each(|b| all.extend([r, g, *b]));
            }
        }
        all
    }

    fn all_bytes(level: Level, values: &mut [u8], amount: f32) {
        let turn = |pixel| turned_by_torchvision(pixel, amount);
        Bytes { values, leave: 255.999, turn }.run_at(level);
        let turn = |pixel| turned_by_tensorflow(pixel, amount);
        Bytes { values, leave: 255.5, turn }.run_at(level);
        let turn = |pixel| saturated_by_tensorflow(pixel, amount.abs() * 3.0);
        Bytes { values, leave: 255.5, turn }.run_at(level);
    }

    #[test]
    fn every_level_gives_the_same_bits() {
        for amount in [-0.5, -0.123, 0.0, 0.25, 0.4999, 0.5] {
            let mut expected = colours();
            all_bytes(Level::Baseline, &mut expected, amount);
            for level in Level::ALL {
                let mut values = colours();
                all_bytes(level, &mut values, amount);
                assert_eq!(values, expected, "{level:?} {amount}");
            }
        }
    }

    #[test]
    fn the_values_that_tensorflow_documents() {
        let turned = turned_by_tensorflow([1.0, 2.0, 3.0], 0.2);
        turned.iter().zip([2.4, 1.0, 3.0]).for_each(|(x, y)| assert!((x - y).abs() < 1e-6, "{turned:?}"));
        let pale = saturated_by_tensorflow([1.0, 2.0, 3.0], 0.5);
        pale.iter().zip([2.0, 2.5, 3.0]).for_each(|(x, y)| assert!((x - y).abs() < 1e-6, "{pale:?}"));
    }

    #[test]
    fn red_turned_by_a_quarter_is_between_yellow_and_green() {
        for f in [torchvision_hue, tensorflow_hue] {
            let mut red = [255, 0, 0];
            f(ValuesMut::U8(&mut red), 0.25, 255.0);
            assert_eq!(red, [127, 255, 0]);
        }
    }

    #[test]
    fn gray_has_no_hue_to_turn() {
        let grays: Vec<u8> = (0..=255).flat_map(|x| [x; 3]).collect();
        for f in [torchvision_hue, tensorflow_hue] {
            let mut values = grays.clone();
            f(ValuesMut::U8(&mut values), 0.3, 255.0);
            assert_eq!(values, grays);
        }
    }
}
