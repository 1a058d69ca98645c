//! A table of 256 values for each channel.

use super::table::Table;
use crate::simd::Level;

/// What each value of each channel of interleaved RGB becomes.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Tables(pub(super) [Table; 3]);

impl Tables {
    /// Replaces every value of an image of 3 channels, or of 1 by the first table.
    pub(super) fn apply(&self, values: &mut [u8], channels: usize) {
        match channels {
            3 => self.apply_at(Level::current(), values),
            _ => self.0[0].apply(values),
        }
    }

    /// As [`Tables::apply`] for 3 channels, at `level` or at the highest that the processor has if that is lower.
    pub(super) fn apply_at(&self, level: Level, values: &mut [u8]) {
        let [r, g, b] = &self.0;
        if r == g && g == b {
            return r.apply_at(level, values);
        }
        let rest = match level.min(Level::detected()) {
            // SAFETY: the processor has the features of every level up to the detected one.
            #[cfg(target_arch = "x86_64")]
            #[allow(unsafe_code)]
            Level::Avx512 => unsafe { at_avx512(&self.0, values) },
            _ => values,
        };
        for pixel in rest.as_chunks_mut::<3>().0 {
            *pixel = [r.value(pixel[0]), g.value(pixel[1]), b.value(pixel[2])];
        }
    }
}

/// Replaces 64 values at a time by look-ups in all three tables; returns those that remain at the end, from a pixel's start on.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
#[allow(unsafe_code)]
fn at_avx512<'a>(tables: &[Table; 3], values: &'a mut [u8]) -> &'a mut [u8] {
    use std::arch::x86_64::*;

    // SAFETY: each quarter is 64 bytes.
    let load = |quarter: &[u8; 64]| unsafe { _mm512_loadu_si512(quarter.as_ptr().cast()) };
    let quarters = tables.each_ref().map(|table| {
        let (quarters, _) = table.values().as_chunks::<64>();
        [load(&quarters[0]), load(&quarters[1]), load(&quarters[2]), load(&quarters[3])]
    });
    // 192 bytes are 64 pixels: three vectors that begin with red, with green (64 is 21 pixels and one value), and with blue.
    let (chunks, rest) = values.as_chunks_mut::<192>();
    for chunk in chunks {
        for (begin, vector) in chunk.as_chunks_mut::<64>().0.iter_mut().enumerate() {
            // SAFETY: a vector is 64 bytes.
            let x = unsafe { _mm512_loadu_si512(vector.as_ptr().cast()) };
            let high = _mm512_movepi8_mask(x);
            let look = |[a, b, c, d]: [__m512i; 4]| {
                let (below, above) = (_mm512_permutex2var_epi8(a, x, b), _mm512_permutex2var_epi8(c, x, d));
                _mm512_mask_blend_epi8(high, below, above)
            };
            let second = _mm512_mask_blend_epi8(SECOND, look(quarters[begin]), look(quarters[(begin + 1) % 3]));
            let made = _mm512_mask_blend_epi8(SECOND << 1, second, look(quarters[(begin + 2) % 3]));
            // SAFETY: as above.
            unsafe { _mm512_storeu_si512(vector.as_mut_ptr().cast(), made) };
        }
    }
    rest
}

/// Of 64 values, those of the channel after the first one's.
#[cfg(target_arch = "x86_64")]
const SECOND: u64 = 0x2492_4924_9249_2492;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_level_looks_up_alike() {
        let tables = Tables([Table::of(|x| x * 1.7 - 20.0), Table::of(|x| 255.0 - x), Table::of(|x| x * x / 255.0)]);
        for pixels in [0, 1, 63, 64, 65, 500] {
            let input: Vec<u8> = (0..pixels * 3).map(|i: u32| (i * 7 + i * i / 11) as u8).collect();
            let expected: Vec<u8> = input.iter().enumerate().map(|(i, x)| tables.0[i % 3].value(*x)).collect();
            for level in Level::ALL {
                let mut values = input.clone();
                tables.apply_at(level, &mut values);
                assert_eq!(values, expected, "{level:?} {pixels}");
            }
        }
    }
}
