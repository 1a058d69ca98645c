//! Means of an image, summed in a fixed order: integers for 8 bits, eight lanes of 64-bit floats for floats.

use crate::simd::Kernel;

/// Mean of one channel of 8 bits, as the nearest 64-bit float.
pub(super) fn of_bytes(values: &[u8], channels: usize, channel: usize) -> f64 {
    let mut sum = 0_u64;
    let count = values.len() / channels;
    if channels == 1 {
        sum = values.iter().map(|x| u64::from(*x)).sum();
    } else {
        for pixel in values.chunks_exact(channels) {
            sum += u64::from(pixel[channel]);
        }
    }
    sum as f64 / count as f64
}

/// Mean of `f` of every pixel of `channels` floats.
pub(super) fn of_floats(values: &[f32], channels: usize, f: impl Fn(&[f32]) -> f32) -> f64 {
    Sum { values, channels, f }.dispatch() / (values.len() / channels) as f64
}

/// Pixel `i` is added to lane `i % 8`, whatever the width of the processor's vectors.
struct Sum<'a, F> {
    values: &'a [f32],
    channels: usize,
    f: F,
}

impl<F: Fn(&[f32]) -> f32> Kernel for Sum<'_, F> {
    type Output = f64;

    #[inline(always)]
    fn run(self) -> f64 {
        let mut lanes = [0.0_f64; 8];
        for pixels in self.values.chunks(8 * self.channels) {
            for (lane, pixel) in lanes.iter_mut().zip(pixels.chunks_exact(self.channels)) {
                *lane += f64::from((self.f)(pixel));
            }
        }
        let [a, b, c, d, e, f, g, h] = lanes;
        ((a + b) + (c + d)) + ((e + f) + (g + h))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::Level;

    #[test]
    fn the_order_of_summation_does_not_depend_on_the_level() {
        let values: Vec<f32> = (0..3 * 1001).map(|i| (i as f32 * 0.7).sqrt() / 3.0).collect();
        let sum =
            |level| Sum { values: &values, channels: 3, f: |pixel: &[f32]| pixel[0] * 0.3 + pixel[2] }.run_at(level);
        for level in Level::ALL {
            assert_eq!(sum(level).to_bits(), sum(Level::Baseline).to_bits());
        }
    }

    #[test]
    fn means_are_those_of_the_channel() {
        assert_eq!([0, 1, 2].map(|channel| of_bytes(&[1, 2, 3, 3, 6, 10], 3, channel)), [2.0, 4.0, 6.5]);
        assert_eq!(of_bytes(&[1, 2, 3], 1, 0), 2.0);
        assert_eq!(of_floats(&[1.0, 5.0, 2.0, 7.0], 2, |pixel| pixel[1]), 6.0);
    }
}
