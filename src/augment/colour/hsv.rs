//! OpenCV's HSV of 8 bits (hue 0 to 179, in steps of two degrees; saturation and value 0 to 255), changed by three tables.

use super::pointwise::{cut, cut_whole};
use super::table::Table;
use crate::simd::{Kernel, Level};

/// What each hue, saturation and value becomes.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct HsvTables {
    pub(super) hue: Table,
    pub(super) saturation: Table,
    pub(super) value: Table,
}

impl HsvTables {
    /// Changes an image of 3 channels, or of 1: gray, which has neither hue nor saturation.
    pub(super) fn apply(&self, values: &mut [u8], channels: usize) {
        match channels {
            3 => self.apply_at(Level::current(), values),
            _ => Table::new(std::array::from_fn(|x| back(0, 0, self.value.value(x as u8))[0])).apply(values),
        }
    }

    /// As [`HsvTables::apply`] for 3 channels, at `level` or at the highest that the processor has if that is lower.
    pub(super) fn apply_at(&self, level: Level, pixels: &mut [u8]) {
        let mut planes = Planes([[0; BLOCK]; 3]);
        for block in pixels.as_chunks_mut::<3>().0.chunks_mut(BLOCK) {
            Forth { pixels: block, planes: &mut planes }.run_at(level);
            let [hue, saturation, value] = &mut planes.0;
            for (table, plane) in [(&self.hue, hue), (&self.saturation, saturation), (&self.value, value)] {
                table.apply_at(level, &mut plane[..block.len().next_multiple_of(GROUP)]);
            }
            Back { pixels: block, planes: &planes }.run_at(level);
        }
    }
}

/// Pixels of a block: it stays in the first cache.
const BLOCK: usize = 1024;
/// Pixels done at a time, colours apart, so that the loop over them works on whole vectors.
const GROUP: usize = 32;

/// Hue, saturation and value of a block.
struct Planes([[u8; BLOCK]; 3]);

/// RGB to planes.
struct Forth<'a> {
    pixels: &'a [[u8; 3]],
    planes: &'a mut Planes,
}

impl Kernel for Forth<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let [hues, saturations, values] = &mut self.planes.0;
        let planes = hues.as_chunks_mut::<GROUP>().0.iter_mut();
        let planes = planes.zip(saturations.as_chunks_mut::<GROUP>().0).zip(values.as_chunks_mut::<GROUP>().0);
        for (group, ((hue, saturation), value)) in self.pixels.chunks(GROUP).zip(planes) {
            let (mut r, mut g, mut b) = ([0; GROUP], [0; GROUP], [0; GROUP]);
            for (i, pixel) in group.iter().enumerate() {
                [r[i], g[i], b[i]] = *pixel;
            }
            for i in 0..GROUP {
                [hue[i], saturation[i], value[i]] = forth([r[i], g[i], b[i]]);
            }
        }
    }
}

/// Planes to RGB.
struct Back<'a> {
    pixels: &'a mut [[u8; 3]],
    planes: &'a Planes,
}

impl Kernel for Back<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let [hues, saturations, values] = &self.planes.0;
        let planes = hues.as_chunks::<GROUP>().0.iter();
        let planes = planes.zip(saturations.as_chunks::<GROUP>().0).zip(values.as_chunks::<GROUP>().0);
        for (group, ((hue, saturation), value)) in self.pixels.chunks_mut(GROUP).zip(planes) {
            let (mut r, mut g, mut b) = ([0; GROUP], [0; GROUP], [0; GROUP]);
            for i in 0..GROUP {
                [r[i], g[i], b[i]] = back(hue[i], saturation[i], value[i]);
            }
            for (i, pixel) in group.iter_mut().enumerate() {
                *pixel = [r[i], g[i], b[i]];
            }
        }
    }
}

/// Bits of the fractions of the divisors.
const SHIFT: u32 = 12;
/// Half of one, to round with.
const HALF: i32 = 1 << (SHIFT - 1);

/// Whole numbers throughout: quotients are products with a rounded reciprocal.
#[inline(always)]
fn forth(pixel: [u8; 3]) -> [u8; 3] {
    let [r, g, b] = pixel.map(i32::from);
    let (high, low) = (r.max(g).max(b), r.min(g).min(b));
    let range = high - low;
    let saturation = (range * reciprocal(255 << SHIFT, high) + HALF) >> SHIFT;
    let of_others = select(high == g, b - r + 2 * range, r - g + 4 * range);
    let sixths = select(high == r, g - b, of_others);
    let hue = (sixths * reciprocal(30 << SHIFT, range) + HALF) >> SHIFT;
    let hue = hue + select(hue < 0, 180, 0);
    [hue as u8, cut_whole(saturation), high as u8]
}

/// `numerator / x`, rounded to even; 0 of 0. Numerators are below 2^21, so the quotient of 32-bit floats is near enough (a test
/// looks at all), and the sum leaves no fraction.
#[inline(always)]
#[allow(unsafe_code)]
fn reciprocal(numerator: i32, x: i32) -> i32 {
    let quotient = numerator as f32 / select(x == 0, 1, x) as f32;
    let rounded = (quotient + ROUND) - ROUND;
    // SAFETY: from 0 to the numerator. A checked cast does not become vectors.
    let whole = unsafe { rounded.to_int_unchecked::<i32>() };
    select(x == 0, 0, whole)
}

/// Added to a float below 2^22 and taken away again, it leaves the nearest whole number, the even one of two.
const ROUND: f32 = 12_582_912.0;

#[inline(always)]
fn select(first: bool, a: i32, b: i32) -> i32 {
    if first { a } else { b }
}

/// In 32-bit floats, cut off.
#[inline(always)]
#[allow(unsafe_code)]
fn back(hue: u8, saturation: u8, value: u8) -> [u8; 3] {
    let one = |first: bool, a: f32, b: f32| if first { a } else { b };
    let sixths = f32::from(hue) * (6.0 / 180.0);
    let (s, v) = (f32::from(saturation) * (1.0 / 255.0), f32::from(value) * (1.0 / 255.0));
    // SAFETY: from 0 to 8.5.
    let sector = unsafe { sixths.to_int_unchecked::<i32>() };
    let along = sixths - sector as f32;
    // A table may hold hues of more than a turn.
    let sector = select(sector >= 6, sector - 6, sector);
    let p = v * (1.0 - s);
    let q = v * (1.0 - s * along);
    let t = v * (1.0 - s * (1.0 - along));
    let r = one(sector == 1, q, one(sector == 2 || sector == 3, p, one(sector == 4, t, v)));
    let g = one(sector == 0, t, one(sector == 1 || sector == 2, v, one(sector == 3, q, p)));
    let b = one(sector == 2, t, one(sector == 3 || sector == 4, v, one(sector == 5, q, p)));
    [cut(r * 255.0), cut(g * 255.0), cut(b * 255.0)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reciprocals_are_the_nearest_whole_numbers() {
        for numerator in [255 << SHIFT, 30 << SHIFT] {
            assert_eq!(reciprocal(numerator, 0), 0);
            for x in 1..256 {
                let exact = (f64::from(numerator) / f64::from(x)).round_ties_even();
                assert_eq!(f64::from(reciprocal(numerator, x)), exact, "{numerator} / {x}");
            }
        }
    }

    #[test]
    fn every_level_gives_the_same_bits() {
        let pixels: Vec<u8> = (0..3 * 5001_u32).map(|i| (i * 7 + i * i / 13) as u8).collect();
        let tables = HsvTables {
            hue: Table::of(|x| (x + 77.0) % 180.0),
            saturation: Table::of(|x| x * 1.4),
            value: Table::of(|x| x * 0.9 + 10.0),
        };
        let mut expected = pixels.clone();
        tables.apply_at(Level::Baseline, &mut expected);
        for level in Level::ALL {
            let mut values = pixels.clone();
            tables.apply_at(level, &mut values);
            assert_eq!(values, expected, "{level:?}");
        }
    }

    #[test]
    fn primaries_are_sixths_of_the_circle() {
        for (rgb, hue) in [([255, 0, 0], 0), ([255, 255, 0], 30), ([0, 255, 0], 60), ([0, 0, 255], 120)] {
            assert_eq!(forth(rgb), [hue, 255, 255]);
            assert_eq!(back(hue, 255, 255), rgb);
        }
        assert_eq!(forth([0, 0, 0]), [0, 0, 0]);
        assert_eq!(forth([7, 7, 7]), [0, 0, 7]);
    }
}
