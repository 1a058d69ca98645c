//! Smallest and largest value of each channel.

use crate::simd::Kernel;

/// Of each of 3 channels, or of 1: then the others are those of an empty one, (255, 0).
pub(super) fn of_bytes(values: &[u8], channels: usize) -> [(u8, u8); 3] {
    Bytes { values, channels }.dispatch()
}

/// Of each of 3 channels, or of 1: then the others are those of an empty one. A NaN is passed over.
pub(super) fn of_floats(values: &[f32], channels: usize) -> [(f32, f32); 3] {
    let mut extremes = [(f32::INFINITY, f32::NEG_INFINITY); 3];
    for pixel in values.chunks_exact(channels) {
        for (x, (low, high)) in pixel.iter().zip(&mut extremes) {
            *low = if x < low { *x } else { *low };
            *high = if x > high { *x } else { *high };
        }
    }
    extremes
}

struct Bytes<'a> {
    values: &'a [u8],
    channels: usize,
}

/// Whole pixels and whole vectors.
const CHUNK: usize = 192;

impl Kernel for Bytes<'_> {
    type Output = [(u8, u8); 3];

    #[inline(always)]
    fn run(self) -> [(u8, u8); 3] {
        let (mut lows, mut highs) = ([255_u8; CHUNK], [0_u8; CHUNK]);
        let (chunks, rest) = self.values.as_chunks::<CHUNK>();
        for chunk in chunks {
            for ((low, high), x) in lows.iter_mut().zip(&mut highs).zip(chunk) {
                *low = (*low).min(*x);
                *high = (*high).max(*x);
            }
        }
        for ((low, high), x) in lows.iter_mut().zip(&mut highs).zip(rest) {
            *low = (*low).min(*x);
            *high = (*high).max(*x);
        }
        let mut extremes = [(255, 0); 3];
        for (index, (low, high)) in lows.into_iter().zip(highs).enumerate() {
            let (least, most) = &mut extremes[index % self.channels];
            *least = low.min(*least);
            *most = high.max(*most);
        }
        extremes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::Level;

    #[test]
    fn each_channel_has_its_own() {
        let mut values: Vec<u8> = (0..900_u32).map(|i| 60 + 60 * (i % 3) as u8 + (i * i % 17) as u8).collect();
        (values[1], values[898], values[5]) = (7, 251, 99);
        let expected = [(60, 76), (7, 251), (99, 196)];
        for level in Level::ALL {
            assert_eq!(Bytes { values: &values, channels: 3 }.run_at(level), expected);
            assert_eq!(Bytes { values: &values, channels: 1 }.run_at(level)[0], (7, 251));
        }
        let floats: Vec<f32> = values.iter().map(|x| f32::from(*x)).collect();
        assert_eq!(of_floats(&floats, 3).map(|(low, high)| (low as u8, high as u8)), expected);
    }
}
