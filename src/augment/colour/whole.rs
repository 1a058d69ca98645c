//! Formulas of whole numbers on 8-bit RGB, computed in vectors of 32-bit floats: as long as no sum reaches 2^24, floats are exact.

#![allow(unsafe_code)]

use super::lanes::{LaneKernel, Lanes, Plain};
use crate::simd::Level;

/// A formula of one pixel.
pub(super) trait Formula: Copy {
    /// Red, green and blue of pixels of 0 to 255. What is returned is clamped to that, and its fraction cut off.
    ///
    /// # Safety
    /// The processor has the features of `L`. Must be `#[inline(always)]`, or it is not compiled for them.
    unsafe fn of<L: Lanes>(self, rgb: [L; 3]) -> [L; 3];
}

/// Makes each pixel `formula` of it.
pub(super) fn apply(pixels: &mut [[u8; 3]], formula: impl Formula) {
    apply_at(Level::current(), pixels, formula);
}

/// As [`apply`], at `level` or at the highest that the processor has if that is lower.
pub(super) fn apply_at(level: Level, pixels: &mut [[u8; 3]], formula: impl Formula) {
    Each { values: pixels.as_flattened_mut(), formula }.run_at(level);
}

struct Each<'a, F> {
    /// Whole pixels.
    values: &'a mut [u8],
    formula: F,
}

impl<F: Formula> LaneKernel for Each<'_, F> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<L: Lanes>(self) {
        let len = self.values.len();
        let start = self.values.as_mut_ptr();
        let mut at = 0;
        // SAFETY: the processor has the features of `L` (the caller says so). A group begins only where the `L::READ` bytes that
        // it reads, and so the `3 * L::COUNT` that it writes, which are no more, lie before the end; the pixels after the last
        // group are three bytes each, and the values are whole pixels.
        unsafe {
            while at + L::READ <= len {
                let rgb = L::load(start.add(at));
                L::store(self.formula.of(rgb), start.add(at));
                at += 3 * L::COUNT;
            }
            while at + 3 <= len {
                let rgb = Plain::<1>::load(start.add(at));
                Plain::<1>::store(self.formula.of(rgb), start.add(at));
                at += 3;
            }
        }
    }
}

/// Weighted sums of red, green and blue, divided by a power of two, rounded half up: `weights` for each channel.
#[derive(Clone, Copy)]
pub(super) struct Mix {
    /// Whole numbers; 255 times the sum of a row's is below 2^24.
    pub(super) weights: [[f32; 3]; 3],
    /// A power of two.
    pub(super) divisor: f32,
}

impl Formula for Mix {
    #[inline(always)]
    unsafe fn of<L: Lanes>(self, rgb: [L; 3]) -> [L; 3] {
        let [x, y, z] = self.weights;
        // SAFETY: what the caller says.
        unsafe { [sum(rgb, x, self.divisor), sum(rgb, y, self.divisor), sum(rgb, z, self.divisor)] }
    }
}

/// One such sum for all channels.
#[derive(Clone, Copy)]
pub(super) struct Gray {
    /// As [`Mix::weights`].
    pub(super) weights: [f32; 3],
    /// A power of two.
    pub(super) divisor: f32,
}

impl Formula for Gray {
    #[inline(always)]
    unsafe fn of<L: Lanes>(self, rgb: [L; 3]) -> [L; 3] {
        // SAFETY: what the caller says.
        unsafe { [sum(rgb, self.weights, self.divisor); 3] }
    }
}

/// # Safety
/// The processor has the features of `L`.
#[inline(always)]
unsafe fn sum<L: Lanes>([r, g, b]: [L; 3], [x, y, z]: [f32; 3], divisor: f32) -> L {
    // SAFETY: what the caller says.
    unsafe { quotient(L::splat(divisor * 0.5), [(r, x), (g, y), (b, z)], divisor) }
}

/// `start` and products of values and whole weights, added up and divided by a power of two.
///
/// # Safety
/// The processor has the features of `L`.
#[inline(always)]
pub(super) unsafe fn quotient<L: Lanes, const N: usize>(start: L, products: [(L, f32); N], divisor: f32) -> L {
    let mut sum = start;
    // SAFETY: what the caller says.
    unsafe {
        for (value, weight) in products {
            sum = sum.plus_whole_product(value, L::splat(weight));
        }
        sum.times(L::splat(1.0 / divisor))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_level_equals_the_whole_numbers() {
        let pixels: Vec<[u8; 3]> = (0..2000_u32)
            .map(|i| [(i * 7) as u8, (i * i / 13) as u8, (i / 5) as u8])
            .chain([[255; 3], [0; 3], [255, 0, 255]])
            .collect();
        let weights = [[402, 787, 194], [357, -702, 172], [19595, 38470, 7471]];
        let formula = Mix { weights: weights.map(|row| row.map(|x| x as f32)), divisor: 1024.0 };
        let expected: Vec<[u8; 3]> = pixels
            .iter()
            .map(|pixel| {
                weights.map(|row| {
                    let sum: i32 = row.iter().zip(pixel).map(|(x, y)| x * i32::from(*y)).sum();
                    ((sum + 512) >> 10).clamp(0, 255) as u8
                })
            })
            .collect();
        for level in Level::ALL {
            for count in [0, 1, 5, 7, 16, 21, 22, pixels.len()] {
                let mut made = pixels[pixels.len() - count..].to_vec();
                apply_at(level, &mut made, formula);
                assert_eq!(made, expected[pixels.len() - count..], "{level:?} {count}");
            }
        }
    }
}
