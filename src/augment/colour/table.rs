//! Formulas of one 8-bit value as a table of 256.

use super::pointwise::cut;
use crate::simd::Level;

/// What each of the 256 values becomes.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Table([u8; 256]);

impl Table {
    /// `f` of each value, clamped to 0 to 255 and its fraction cut off.
    pub(super) fn of(f: impl Fn(f32) -> f32) -> Self {
        Table(std::array::from_fn(|x| cut(f(x as f32))))
    }

    /// These values.
    pub(super) fn new(values: [u8; 256]) -> Self {
        Table(values)
    }

    /// Every value stays as it is.
    pub(super) fn identity() -> Self {
        Table(std::array::from_fn(|x| x as u8))
    }

    /// What each value becomes.
    pub(super) fn values(&self) -> &[u8; 256] {
        &self.0
    }

    /// What `x` becomes.
    pub(super) fn value(&self, x: u8) -> u8 {
        self.0[usize::from(x)]
    }

    /// This table, then `f`.
    pub(super) fn then(self, f: impl Fn(f32) -> f32) -> Self {
        Table(self.0.map(|x| cut(f(f32::from(x)))))
    }

    /// Replaces every value.
    pub(super) fn apply(&self, values: &mut [u8]) {
        self.apply_at(Level::current(), values);
    }

    /// As [`Table::apply`], at `level` or at the highest that the processor has if that is lower.
    pub(super) fn apply_at(&self, level: Level, values: &mut [u8]) {
        let rest = match level.min(Level::detected()) {
            // SAFETY: the processor has the features of every level up to the detected one.
            #[cfg(target_arch = "x86_64")]
            #[allow(unsafe_code)]
            Level::Avx512 => unsafe { at_avx512(&self.0, values) },
            _ => values,
        };
        rest.iter_mut().for_each(|x| *x = self.value(*x));
    }
}

/// Replaces 64 values at a time by two look-ups in half of the table each; returns those that remain at the end.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
#[allow(unsafe_code)]
fn at_avx512<'a>(table: &[u8; 256], values: &'a mut [u8]) -> &'a mut [u8] {
    use std::arch::x86_64::*;

    let (quarters, _) = table.as_chunks::<64>();
    // SAFETY: each quarter is 64 bytes.
    let load = |quarter: &[u8; 64]| unsafe { _mm512_loadu_si512(quarter.as_ptr().cast()) };
    let (a, b, c, d) = (load(&quarters[0]), load(&quarters[1]), load(&quarters[2]), load(&quarters[3]));
    let (chunks, rest) = values.as_chunks_mut::<64>();
    for chunk in chunks {
        // SAFETY: a chunk is 64 bytes.
        let x = unsafe { _mm512_loadu_si512(chunk.as_ptr().cast()) };
        let (low, high) = (_mm512_permutex2var_epi8(a, x, b), _mm512_permutex2var_epi8(c, x, d));
        let made = _mm512_mask_blend_epi8(_mm512_movepi8_mask(x), low, high);
        // SAFETY: as above.
        unsafe { _mm512_storeu_si512(chunk.as_mut_ptr().cast(), made) };
    }
    rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_level_looks_up_alike() {
        let table = Table::of(|x| x * 1.7 - 20.0).then(|x| 255.0 - x * 0.5);
        let input: Vec<u8> = (0..=255).rev().chain(0..=255).chain(0..61).collect();
        let expected: Vec<u8> = input.iter().map(|x| table.value(*x)).collect();
        for level in Level::ALL {
            let mut values = input.clone();
            table.apply_at(level, &mut values);
            assert_eq!(values, expected, "{level:?}");
        }
        assert_eq!((table.value(0), table.value(100), table.value(255)), (255, 180, 127));
    }
}
