use crate::image::{Image, Pixels};

/// Where the colours of an image lie: a number per channel, relative to the full scale. Of one channel the other two are zero.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Spread {
    /// Mean.
    pub(super) mean: [f64; 3],
    /// Covariance of two channels, divided by the number of pixels; the diagonal is the variance.
    pub(super) covariance: [[f64; 3]; 3],
    /// Smallest value.
    pub(super) low: [f64; 3],
    /// Largest value.
    pub(super) high: [f64; 3],
}

impl Spread {
    /// Of an image whose full brightness is `full`. Sums of 8 bits are whole numbers, those of floats go by the order of pixels.
    pub(super) fn of(image: &Image<'_>, full: f32) -> Spread {
        match (image.pixels(), image.channels()) {
            (Pixels::U8(values), 3) => of_bytes(values.as_chunks::<3>().0.iter().copied()),
            (Pixels::U8(values), _) => of_bytes(values.iter().map(|x| [*x, 0, 0])),
            (Pixels::F32(values), 3) => of_floats(values.as_chunks::<3>().0.iter().copied(), full),
            (Pixels::F32(values), _) => of_floats(values.iter().map(|x| [*x, 0.0, 0.0]), full),
        }
    }

    /// The directions in which colours differ, most first, each of length 1: eigenvectors of the covariance by Jacobi's rotations,
    /// the largest element first, as OpenCV's `eigen` turns them. So the signs are the same too.
    pub(super) fn principal_components(&self) -> [[f64; 3]; 3] {
        let mut a = self.covariance;
        let mut vectors = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];
        // Three or four sweeps do; the bound is for what is no number.
        for _ in 0..MOST_ROTATIONS {
            let largest = [(0, 1), (0, 2), (1, 2)]
                .into_iter()
                .reduce(|best, next| if a[next.0][next.1].abs() > a[best.0][best.1].abs() { next } else { best });
            let Some((k, l)) = largest else { break };
            let p = a[k][l];
            if p.abs() <= f64::EPSILON {
                break;
            }
            let half = (a[l][l] - a[k][k]) * 0.5;
            let t = half.abs() + (p * p + half * half).sqrt();
            let long = (p * p + t * t).sqrt();
            let cos = t / long;
            let (sin, shift) = (p / long, p / t * p);
            let (sin, shift) = if half < 0.0 { (-sin, -shift) } else { (sin, shift) };
            a[k][k] -= shift;
            a[l][l] += shift;
            a[k][l] = 0.0;
            a[l][k] = 0.0;
            // Of three axes one is left besides the two that turn.
            let other = 3 - k - l;
            let (x, y) = (a[other][k], a[other][l]);
            let (x, y) = (x * cos - y * sin, x * sin + y * cos);
            (a[other][k], a[k][other], a[other][l], a[l][other]) = (x, x, y, y);
            let (x, y) = (vectors[k], vectors[l]);
            vectors[k] = std::array::from_fn(|i| x[i] * cos - y[i] * sin);
            vectors[l] = std::array::from_fn(|i| x[i] * sin + y[i] * cos);
        }
        let mut order = [0, 1, 2];
        order.sort_by(|x, y| a[*y][*y].total_cmp(&a[*x][*x]));
        order.map(|place| vectors[place])
    }
}

/// Rotations beyond which a matrix is given up.
const MOST_ROTATIONS: usize = 270;

fn of_bytes(pixels: impl ExactSizeIterator<Item = [u8; 3]>) -> Spread {
    let count = pixels.len().max(1) as i128;
    let mut sums = [0_u64; 3];
    let mut products = [0_u64; 6];
    let (mut low, mut high) = ([u8::MAX; 3], [0; 3]);
    for pixel in pixels {
        let [r, g, b] = pixel.map(u32::from);
        for (sum, x) in sums.iter_mut().zip([r, g, b]) {
            *sum += u64::from(x);
        }
        for (sum, x) in products.iter_mut().zip([r * r, r * g, r * b, g * g, g * b, b * b]) {
            *sum += u64::from(x);
        }
        low = std::array::from_fn(|channel| pixel[channel].min(low[channel]));
        high = std::array::from_fn(|channel| pixel[channel].max(high[channel]));
    }
    let covariance = |i: usize, j: usize| {
        let exact = count * i128::from(products[PLACES[i][j]]) - i128::from(sums[i]) * i128::from(sums[j]);
        exact as f64 / (count * count) as f64 / (255.0 * 255.0)
    };
    Spread {
        mean: sums.map(|sum| sum as f64 / count as f64 / 255.0),
        covariance: std::array::from_fn(|i| std::array::from_fn(|j| covariance(i, j))),
        low: low.map(|x| f64::from(x) / 255.0),
        high: high.map(|x| f64::from(x) / 255.0),
    }
}

fn of_floats(pixels: impl ExactSizeIterator<Item = [f32; 3]>, full: f32) -> Spread {
    let count = pixels.len().max(1) as f64;
    let (mut sums, mut products) = ([0.0; 3], [0.0; 6]);
    let (mut low, mut high) = ([f32::INFINITY; 3], [f32::NEG_INFINITY; 3]);
    for pixel in pixels {
        let [r, g, b] = pixel.map(f64::from);
        for (sum, x) in sums.iter_mut().zip([r, g, b]) {
            *sum += x;
        }
        for (sum, x) in products.iter_mut().zip([r * r, r * g, r * b, g * g, g * b, b * b]) {
            *sum += x;
        }
        low = std::array::from_fn(|channel| pixel[channel].min(low[channel]));
        high = std::array::from_fn(|channel| pixel[channel].max(high[channel]));
    }
    let full = f64::from(full);
    let mean: [f64; 3] = sums.map(|sum| sum / count);
    let covariance = |i: usize, j: usize| (products[PLACES[i][j]] / count - mean[i] * mean[j]) / (full * full);
    Spread {
        mean: mean.map(|x| x / full),
        covariance: std::array::from_fn(|i| std::array::from_fn(|j| covariance(i, j))),
        low: low.map(|x| f64::from(x) / full),
        high: high.map(|x| f64::from(x) / full),
    }
}

/// Where the product of two channels stands among the six.
const PLACES: [[usize; 3]; 3] = [[0, 1, 2], [1, 3, 4], [2, 4, 5]];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::Size;

    fn colours() -> Vec<u8> {
        (0..300_u32).map(|x| ((x * x * 31 + x * 7) % 251) as u8).collect()
    }

    #[test]
    fn bytes_and_floats_have_the_same_spread() {
        let size = Size::new(10, 10);
        let bytes = Spread::of(&Image::from_u8(size, 3, colours()), 255.0);
        let floats = colours().iter().map(|x| f32::from(*x)).collect();
        let floats = Spread::of(&Image::from_f32(size, 3, floats), 255.0);
        let near = |a: f64, b: f64| (a - b).abs() < 1e-12;
        assert!(bytes.mean.iter().zip(floats.mean).all(|(a, b)| near(*a, b)));
        assert!(
            bytes.covariance.as_flattened().iter().zip(floats.covariance.as_flattened()).all(|(a, b)| near(*a, *b))
        );
        assert_eq!((bytes.low, bytes.high), (floats.low, floats.high));
    }

    #[test]
    fn principal_components_turn_the_covariance_into_a_diagonal() {
        let spread = Spread::of(&Image::from_u8(Size::new(10, 10), 3, colours()), 255.0);
        let axes = spread.principal_components();
        let along = |x: [f64; 3], y: [f64; 3]| -> f64 {
            (0..9).map(|place| x[place / 3] * spread.covariance[place / 3][place % 3] * y[place % 3]).sum()
        };
        for i in 0..3 {
            for j in 0..3 {
                let length: f64 = (0..3).map(|x| axes[i][x] * axes[j][x]).sum();
                assert!((length - f64::from(u8::from(i == j))).abs() < 1e-12);
                assert!(i == j || along(axes[i], axes[j]).abs() < 1e-12);
            }
        }
        assert!(
            along(axes[0], axes[0]) >= along(axes[1], axes[1]) && along(axes[1], axes[1]) >= along(axes[2], axes[2])
        );
    }

    #[test]
    fn what_is_no_number_ends_all_the_same() {
        let spread = Spread::of(&Image::from_f32(Size::new(2, 1), 3, vec![f32::NAN; 6]), 1.0);
        spread.principal_components();
    }
}
