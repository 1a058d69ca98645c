//! The principal axes of an image's colours.

use super::mean;

/// Mean and covariances of the channels.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moments {
    mean: [f64; 3],
    covariance: [[f64; 3]; 3],
}

impl Moments {
    /// Of RGB of 8 bits. None of fewer than two pixels.
    pub(super) fn of_bytes(pixels: &[[u8; 3]]) -> Option<Self> {
        let n = pixels.len() as u128;
        if n < 2 {
            return None;
        }
        // Red with itself, with green, with blue, green with itself, with blue, blue with itself.
        let (mut sums, mut products) = ([0_u64; 3], [0_u64; 6]);
        for part in pixels.chunks(1 << 16) {
            // 2^16 products of 8 bits by 8 fit into 32 bits, which vectors are made of.
            let (mut few, mut of_few) = ([0_u32; 3], [0_u32; 6]);
            for pixel in part {
                let [r, g, b] = pixel.map(u32::from);
                few[0] += r;
                few[1] += g;
                few[2] += b;
                of_few[0] += r * r;
                of_few[1] += r * g;
                of_few[2] += r * b;
                of_few[3] += g * g;
                of_few[4] += g * b;
                of_few[5] += b * b;
            }
            sums.iter_mut().zip(few).for_each(|(sum, few)| *sum += u64::from(few));
            products.iter_mut().zip(of_few).for_each(|(sum, few)| *sum += u64::from(few));
        }
        // All in whole numbers up to here, so that the order is of no matter; n times a sum is never below that product.
        let covariance = |index: usize, i: usize, j: usize| {
            let (first, second) = (n * u128::from(products[index]), u128::from(sums[i]) * u128::from(sums[j]));
            let difference = if first >= second { (first - second) as f64 } else { -((second - first) as f64) };
            difference / (n * (n - 1)) as f64
        };
        let [rr, rg, rb] = [covariance(0, 0, 0), covariance(1, 0, 1), covariance(2, 0, 2)];
        let [gg, gb, bb] = [covariance(3, 1, 1), covariance(4, 1, 2), covariance(5, 2, 2)];
        let mean = sums.map(|sum| sum as f64 / n as f64);
        Some(Moments { mean, covariance: [[rr, rg, rb], [rg, gg, gb], [rb, gb, bb]] })
    }

    /// Of RGB of floats. None of fewer than two pixels.
    pub(super) fn of_floats(values: &[f32]) -> Option<Self> {
        let n = (values.len() / 3) as f64;
        if n < 2.0 {
            return None;
        }
        let mean = [0, 1, 2].map(|channel| mean::of_floats(values, 3, |pixel| pixel[channel]));
        let m = mean.map(|mean| mean as f32);
        let covariance = |i: usize, j: usize| {
            mean::of_floats(values, 3, |pixel| (pixel[i] - m[i]) * (pixel[j] - m[j])) * (n / (n - 1.0))
        };
        let [rg, rb, gb] = [covariance(0, 1), covariance(0, 2), covariance(1, 2)];
        let covariance = [[covariance(0, 0), rg, rb], [rg, covariance(1, 1), gb], [rb, gb, covariance(2, 2)]];
        Some(Moments { mean, covariance })
    }

    /// The axis of the largest variance, its sign as OpenCV's `eigen` leaves it: its rotations take the largest covariance first, and
    /// none turns by more than an eighth of a circle.
    pub(super) fn largest_axis(&self) -> [f64; 3] {
        let mut matrix = self.covariance;
        let mut variances = [matrix[0][0], matrix[1][1], matrix[2][2]];
        let mut axes = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];
        for _ in 0..ROTATIONS {
            // The pair of axes, and the third one.
            let (mut k, mut l, mut other) = (0, 1, 2);
            for (i, j, rest) in [(0, 2, 1), (1, 2, 0)] {
                if matrix[i][j].abs() > matrix[k][l].abs() {
                    (k, l, other) = (i, j, rest);
                }
            }
            let pivot = matrix[k][l];
            if pivot.abs() <= f64::EPSILON {
                break;
            }
            let half = (variances[l] - variances[k]) * 0.5;
            let long = half.abs() + length(pivot, half);
            let hypotenuse = length(pivot, long);
            let sign = if half < 0.0 { -1.0 } else { 1.0 };
            let (cosine, sine, moved) = (long / hypotenuse, sign * (pivot / hypotenuse), sign * (pivot / long * pivot));
            (matrix[k][l], matrix[l][k]) = (0.0, 0.0);
            variances[k] -= moved;
            variances[l] += moved;
            let turned = |a: f64, b: f64| (a * cosine - b * sine, a * sine + b * cosine);
            let (a, b) = turned(matrix[k][other], matrix[l][other]);
            (matrix[k][other], matrix[other][k]) = (a, a);
            (matrix[l][other], matrix[other][l]) = (b, b);
            let (first, second): ([f64; 3], [f64; 3]) = (axes[k], axes[l]);
            axes[k] = std::array::from_fn(|column| turned(first[column], second[column]).0);
            axes[l] = std::array::from_fn(|column| turned(first[column], second[column]).1);
        }
        let mut largest = 0;
        for axis in 1..3 {
            if variances[axis] > variances[largest] {
                largest = axis;
            }
        }
        axes[largest]
    }
}

/// Of a vector. Covariances of images are far from what overflows.
fn length(x: f64, y: f64) -> f64 {
    (x * x + y * y).sqrt()
}

/// Mean, and the axes from the one of the largest variance down. Each axis has a length of 1, and its largest component is
/// positive: libraries leave the sign open.
#[derive(Clone, Copy, Debug)]
pub(super) struct Principal {
    pub(super) mean: [f64; 3],
    /// Variances along the axes.
    pub(super) variances: [f64; 3],
    pub(super) axes: [[f64; 3]; 3],
}

impl Principal {
    /// Of RGB of 8 bits. None of fewer than two pixels.
    pub(super) fn of_bytes(pixels: &[[u8; 3]]) -> Option<Self> {
        Moments::of_bytes(pixels).map(|Moments { mean, covariance }| Principal::new(mean, covariance))
    }

    /// Of RGB of floats. None of fewer than two pixels.
    pub(super) fn of_floats(values: &[f32]) -> Option<Self> {
        Moments::of_floats(values).map(|Moments { mean, covariance }| Principal::new(mean, covariance))
    }

    /// Of a symmetric matrix, by Jacobi's rotations: as many as are enough for 64-bit floats.
    fn new(mean: [f64; 3], mut matrix: [[f64; 3]; 3]) -> Self {
        // Columns are the axes.
        let mut axes = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];
        for _ in 0..SWEEPS {
            for (p, q) in [(0, 1), (0, 2), (1, 2)] {
                if matrix[p][q] == 0.0 {
                    continue;
                }
                let theta = (matrix[q][q] - matrix[p][p]) / (2.0 * matrix[p][q]);
                let tangent = 1.0 / (theta.abs() + (theta * theta + 1.0).sqrt());
                let tangent = if theta < 0.0 { -tangent } else { tangent };
                let cosine = 1.0 / (tangent * tangent + 1.0).sqrt();
                let sine = tangent * cosine;
                for row in &mut matrix {
                    (row[p], row[q]) = (row[p] * cosine - row[q] * sine, row[p] * sine + row[q] * cosine);
                }
                let (a, b) = (matrix[p], matrix[q]);
                matrix[p] = std::array::from_fn(|column| a[column] * cosine - b[column] * sine);
                matrix[q] = std::array::from_fn(|column| a[column] * sine + b[column] * cosine);
                for row in &mut axes {
                    (row[p], row[q]) = (row[p] * cosine - row[q] * sine, row[p] * sine + row[q] * cosine);
                }
            }
        }
        let mut order = [0, 1, 2];
        order.sort_by(|a, b| matrix[*b][*b].total_cmp(&matrix[*a][*a]));
        Principal {
            mean,
            variances: order.map(|axis| matrix[axis][axis]),
            axes: order.map(|axis| {
                let column = axes.map(|row| row[axis]);
                let largest = column.iter().fold(0.0, |most: f64, x| if x.abs() > most.abs() { *x } else { most });
                if largest < 0.0 { column.map(|x| -x) } else { column }
            }),
        }
    }
}

/// Rotations converge quadratically; four sweeps are enough for three dimensions, and more change nothing.
const SWEEPS: usize = 8;

/// Most rotations of [`Moments::largest_axis`]; some ten are enough, unless a value is no number.
const ROTATIONS: usize = 60;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_axis_is_the_first_one_up_to_its_sign() {
        for step in [7_u32, 31, 77, 130] {
            let pixels: Vec<[u8; 3]> = (0..400_u32)
                .map(|i| [(i % 251) as u8, (i * step % 256) as u8, (255 - i % 251 / (1 + step % 3)) as u8])
                .collect();
            let (axis, first) =
                (Moments::of_bytes(&pixels).unwrap().largest_axis(), Principal::of_bytes(&pixels).unwrap().axes[0]);
            let dot: f64 = axis.iter().zip(first).map(|(a, b)| a * b).sum();
            assert!((dot.abs() - 1.0).abs() < 1e-12, "{axis:?} {first:?}");
        }
        let flat = Moments::of_bytes(&[[1, 2, 3]; 9]).unwrap();
        assert_eq!(flat.largest_axis(), [1.0, 0.0, 0.0]);
        let broken = Moments { mean: [f64::NAN; 3], covariance: [[f64::NAN; 3]; 3] };
        assert!(broken.largest_axis().iter().all(|x| x.is_nan() || x.abs() <= 1.0));
    }

    #[test]
    fn axes_and_variances_make_the_matrix_again() {
        let pixels: Vec<[u8; 3]> =
            (0..500_u32).map(|i| [(i % 251) as u8, (i * i % 199) as u8, ((i % 251) / 2 + i % 17) as u8]).collect();
        let found = Principal::of_bytes(&pixels).unwrap();
        let floats: Vec<f32> = pixels.as_flattened().iter().map(|x| f32::from(*x)).collect();
        let of_floats = Principal::of_floats(&floats).unwrap();
        assert!(found.variances.is_sorted_by(|a, b| a >= b));
        for i in 0..3 {
            assert!((found.variances[i] - of_floats.variances[i]).abs() < 1e-2);
            for j in 0..3 {
                let dot: f64 = (0..3).map(|k| found.axes[i][k] * found.axes[j][k]).sum();
                assert!((dot - f64::from(u8::from(i == j))).abs() < 1e-12);
                let exact: f64 = pixels
                    .iter()
                    .map(|pixel| (f64::from(pixel[i]) - found.mean[i]) * (f64::from(pixel[j]) - found.mean[j]))
                    .sum::<f64>()
                    / 499.0;
                let made: f64 = (0..3).map(|k| found.axes[k][i] * found.variances[k] * found.axes[k][j]).sum();
                assert!((exact - made).abs() < 1e-8, "{exact} {made}");
            }
        }
        assert!(Principal::of_bytes(&pixels[..1]).is_none());
    }
}
