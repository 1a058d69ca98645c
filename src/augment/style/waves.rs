//! The low frequencies of an image, and the image that low frequencies make: sums of products in the order that is written, so that
//! every machine has the same bits. Few frequencies are wanted, a tenth of a side in each direction, so that sums along columns and
//! then along rows take less than a fast Fourier transform of everything, for any size. An image is real: the coefficient of `-k` is
//! the conjugate of that of `k`, and half of the rows of frequencies do.

use crate::image::Size;
use crate::simd::Kernel;

/// Coefficients of up to three channels: the real parts, one number unused, the imaginary parts, one number unused.
pub(super) type Coefficients = [f64; 8];

/// Which frequencies are meant: `-rows..=rows` and `-columns..=columns`, at most half of the side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Band {
    /// Highest frequency along a column of pixels.
    pub(super) rows: usize,
    /// Highest frequency along a row of pixels.
    pub(super) columns: usize,
}

/// Coefficients of a band, of the rows of frequencies 0 to `band.rows`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Waves {
    pub(super) band: Band,
    /// Rows of frequencies, each with the columns `-band.columns..=band.columns`.
    pub(super) values: Vec<Coefficients>,
}

impl Band {
    /// Coefficients in a row.
    pub(super) fn width(self) -> usize {
        2 * self.columns + 1
    }

    /// How many there are.
    pub(super) fn len(self) -> usize {
        (self.rows + 1) * self.width()
    }
}

impl Waves {
    /// The coefficients of an image of 1 or 3 channels: sums of its values, each times `exp(-2 pi i (row y / height + column x /
    /// width))`.
    pub(super) fn of<T: Copy + Into<f64>>(values: &[T], size: Size, channels: usize, band: Band) -> Waves {
        Forward { values, size, channels, band }.dispatch()
    }

    /// The image that these coefficients and their conjugates make, added to `values`: what inverts [`Waves::of`]. Of a frequency
    /// that is its own opposite only one coefficient must be other than zero.
    pub(super) fn add_to(&self, values: &mut [f32], size: Size, channels: usize) {
        Backward { waves: self, values, size, channels }.dispatch();
    }
}

/// Cosine and sine of `2 pi k x / n`, for every `k` up to `most` and every `x` below `n`.
fn circle(n: usize, most: usize) -> Vec<[f64; 2]> {
    let step = |x: usize| {
        let angle = 2.0 * std::f64::consts::PI * (x as f64 / n as f64);
        [libm::cos(angle), libm::sin(angle)]
    };
    let once: Vec<[f64; 2]> = (0..n).map(step).collect();
    (0..=most).flat_map(|k| (0..n).map(move |x| (k * x) % n)).map(|at| once[at]).collect()
}

struct Forward<'a, T> {
    values: &'a [T],
    size: Size,
    channels: usize,
    band: Band,
}

impl<T: Copy + Into<f64>> Kernel for Forward<'_, T> {
    type Output = Waves;

    #[inline(always)]
    fn run(self) -> Waves {
        let Forward { values, size, channels, band } = self;
        let (width, height) = (size.width as usize, size.height as usize);
        let length = width * channels;
        // Sums along the columns of pixels, for each row of frequencies and each x.
        let turns = circle(height, band.rows);
        let mut sums = vec![[0.0; 8]; (band.rows + 1) * width];
        let mut strip = vec![[0.0_f64; LANES]; height];
        for start in (0..length).step_by(LANES) {
            let end = (start + LANES).min(length);
            for (row, lanes) in values.chunks_exact(length).zip(&mut strip) {
                for (lane, x) in lanes.iter_mut().zip(&row[start..end]) {
                    *lane = (*x).into();
                }
            }
            for (row, turns) in turns.chunks_exact(height).enumerate() {
                let (mut real, mut imaginary) = ([0.0; LANES], [0.0; LANES]);
                for (lanes, [cos, sin]) in strip.iter().zip(turns) {
                    for lane in 0..LANES {
                        real[lane] += lanes[lane] * cos;
                        imaginary[lane] -= lanes[lane] * sin;
                    }
                }
                for at in start..end {
                    let sum = &mut sums[row * width + at / channels];
                    (sum[at % channels], sum[4 + at % channels]) = (real[at - start], imaginary[at - start]);
                }
            }
        }
        // Sums of those along the rows of pixels.
        let turns = circle(width, band.columns);
        let mut made = Vec::with_capacity(band.len());
        for sums in sums.chunks_exact(width) {
            let first = made.len();
            made.resize(first + band.width(), [0.0; 8]);
            for (column, turns) in turns.chunks_exact(width).enumerate() {
                let (mut even, mut odd) = ([0.0; 8], [0.0; 8]);
                for (sum, [cos, sin]) in sums.iter().zip(turns) {
                    for lane in 0..8 {
                        even[lane] += sum[lane] * cos;
                        odd[lane] += sum[lane] * sin;
                    }
                }
                // even - i odd, and for the opposite column even + i odd.
                let turned = times_i(odd);
                let at = first + band.columns;
                made[at - column] = std::array::from_fn(|lane| even[lane] + turned[lane]);
                made[at + column] = std::array::from_fn(|lane| even[lane] - turned[lane]);
            }
        }
        Waves { band, values: made }
    }
}

struct Backward<'a> {
    waves: &'a Waves,
    values: &'a mut [f32],
    size: Size,
    channels: usize,
}

impl Kernel for Backward<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Backward { waves: Waves { band, values: waves }, values, size, channels } = self;
        let (width, height) = (size.width as usize, size.height as usize);
        let length = width * channels;
        // Along the rows of pixels, for each row of frequencies and each x.
        let turns = circle(width, band.columns);
        let mut sums = vec![[0.0; 8]; (band.rows + 1) * width];
        let whole = (width * height) as f64;
        for (row, (sums, waves)) in sums.chunks_exact_mut(width).zip(waves.chunks_exact(band.width())).enumerate() {
            // The opposite row, which is not computed, adds as much.
            let share = if row == 0 || 2 * row == height { 1.0 / whole } else { 2.0 / whole };
            for (column, turns) in turns.chunks_exact(width).enumerate() {
                let (before, after) = (waves[band.columns - column], waves[band.columns + column]);
                let both = if column == 0 { before } else { std::array::from_fn(|lane| before[lane] + after[lane]) };
                let odd = times_i(std::array::from_fn(|lane| after[lane] - before[lane]));
                let (both, odd) = (both.map(|x: f64| x * share), odd.map(|x: f64| x * share));
                for (sum, [cos, sin]) in sums.iter_mut().zip(turns) {
                    for lane in 0..8 {
                        sum[lane] += both[lane] * cos + odd[lane] * sin;
                    }
                }
            }
        }
        // Along the columns of pixels; only what is real is left in the end.
        let turns = circle(height, band.rows);
        let mut strip = vec![[[0.0; LANES]; 2]; band.rows + 1];
        for start in (0..length).step_by(LANES) {
            let end = (start + LANES).min(length);
            for (row, lanes) in strip.iter_mut().enumerate() {
                for at in start..end {
                    let sum = &sums[row * width + at / channels];
                    (lanes[0][at - start], lanes[1][at - start]) = (sum[at % channels], sum[4 + at % channels]);
                }
            }
            for (y, values) in values.chunks_exact_mut(length).enumerate() {
                let mut made = [0.0; LANES];
                for (row, [real, imaginary]) in strip.iter().enumerate() {
                    let [cos, sin] = turns[row * height + y];
                    for lane in 0..LANES {
                        made[lane] += real[lane] * cos - imaginary[lane] * sin;
                    }
                }
                for (x, made) in values[start..end].iter_mut().zip(made) {
                    *x = (f64::from(*x) + made) as f32;
                }
            }
        }
    }
}

/// Values of a row that are summed beside each other.
const LANES: usize = 16;

#[inline(always)]
fn times_i(x: Coefficients) -> Coefficients {
    [-x[4], -x[5], -x[6], -x[7], x[0], x[1], x[2], x[3]]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::Level;

    fn values(size: Size, channels: usize) -> Vec<u8> {
        (0..size.area() * channels as u64).map(|x| (x * x * 7 % 251) as u8).collect()
    }

    #[test]
    fn coefficients_are_what_the_definition_says() {
        for (width, height, channels) in [(8, 6, 3), (7, 9, 1), (1, 5, 3), (2, 2, 1), (21, 3, 3)] {
            let size = Size::new(width, height);
            let band = Band { rows: height as usize / 2, columns: width as usize / 2 };
            let image = values(size, channels);
            let waves = Waves::of(&image, size, channels, band);
            for (at, found) in waves.values.iter().enumerate() {
                let (row, column) = (at / band.width(), (at % band.width()) as f64 - band.columns as f64);
                for channel in 0..channels {
                    let (mut real, mut imaginary) = (0.0, 0.0);
                    for (place, x) in image.iter().skip(channel).step_by(channels).enumerate() {
                        let (x_at, y_at) = (place % width as usize, place / width as usize);
                        let turn =
                            row as f64 * y_at as f64 / f64::from(height) + column * x_at as f64 / f64::from(width);
                        let angle = -2.0 * std::f64::consts::PI * turn;
                        real += f64::from(*x) * libm::cos(angle);
                        imaginary += f64::from(*x) * libm::sin(angle);
                    }
                    let near = |a: f64, b: f64| (a - b).abs() < 1e-8;
                    assert!(near(found[channel], real) && near(found[4 + channel], imaginary), "{size} {at} {channel}");
                }
            }
        }
    }

    #[test]
    fn all_coefficients_make_the_image_again() {
        for (width, height, channels) in [(9, 7, 3), (5, 3, 1), (1, 1, 3), (33, 5, 3)] {
            let size = Size::new(width, height);
            let image = values(size, channels);
            let waves =
                Waves::of(&image, size, channels, Band { rows: height as usize / 2, columns: width as usize / 2 });
            let mut made = vec![0.0; image.len()];
            waves.add_to(&mut made, size, channels);
            for (made, x) in made.iter().zip(&image) {
                assert!((made - f32::from(*x)).abs() < 1e-4, "{size}: {made}, not {x}");
            }
        }
    }

    #[test]
    fn every_level_gives_the_same_bits() {
        let size = Size::new(37, 22);
        let image = values(size, 3);
        let band = Band { rows: 5, columns: 6 };
        let forward = || Forward { values: &image[..], size, channels: 3, band };
        let waves = forward().run();
        let mut expected: Vec<f32> = image.iter().map(|x| f32::from(*x)).collect();
        let original = expected.clone();
        Backward { waves: &waves, values: &mut expected, size, channels: 3 }.run();
        for level in Level::ALL {
            assert_eq!(forward().run_at(level), waves, "{level:?}");
            let mut made = original.clone();
            Backward { waves: &waves, values: &mut made, size, channels: 3 }.run_at(level);
            assert_eq!(made, expected, "{level:?}");
        }
    }
}
