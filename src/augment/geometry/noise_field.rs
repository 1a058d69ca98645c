use super::crop::Border;
use crate::augment::noise::Noise;
use crate::augment::op::Scratch;
use crate::image::Size;
use crate::simd::Kernel;

/// `count` fields of noise from -1 to 1, of a size each: uniform, or normal and divided by the largest absolute value of all.
pub(super) fn noise(seed: u64, size: Size, gaussian: bool, count: usize) -> Vec<Vec<f32>> {
    let (area, numbers, mut scratch) = (size.area() as usize, Noise::Seed(seed), Scratch::default());
    let values = if gaussian {
        let mut values = numbers.normals(area * count, &mut scratch);
        let most = values.iter().fold(0.0_f32, |most, x| most.max(x.abs()));
        if most > 1e-6 {
            values.iter_mut().for_each(|x| *x /= most);
        }
        values
    } else {
        let mut values = numbers.units(area * count, &mut scratch);
        values.iter_mut().for_each(|x| *x = *x * 2.0 - 1.0);
        values
    };
    values.chunks_exact(area.max(1)).map(<[f32]>::to_vec).collect()
}

/// Gaussian smoothing of fields.
pub(super) struct Smoothing {
    /// The middle weight and those to one side.
    half: Vec<f32>,
    border: Border,
}

impl Smoothing {
    /// With the standard deviation `sigma` in pixels, over four of them to each side. Beyond the edge is the outermost value
    /// (OpenCV), or the mirrored field (torch).
    pub(super) fn new(sigma: f64, mirrored: bool) -> Self {
        let radius = (sigma.clamp(0.1, MOST_SIGMA) * 4.0).round_ties_even() as u32;
        let exact: Vec<f64> = (0..=radius)
            .map(|x| {
                let x = f64::from(x) / sigma;
                libm::exp(-0.5 * x * x)
            })
            .collect();
        let sum = 2.0 * exact.iter().sum::<f64>() - exact[0];
        let half = exact.iter().map(|weight| (weight / sum) as f32).collect();
        Smoothing { half, border: if mirrored { Border::Reflect } else { Border::Edge } }
    }

    /// Smooths a field in both directions.
    pub(super) fn smooth(&self, field: &mut [f32], size: Size) {
        let (width, radius) = (size.width as usize, self.half.len() - 1);
        let beyond = |side: u32| -> Vec<usize> {
            let radius = radius as i64;
            (-radius..i64::from(side) + radius).map(|at| self.border.index(at, side).unwrap_or(0)).collect()
        };
        // Down the columns, whole rows at once.
        let source = field.to_vec();
        let rows = beyond(size.height);
        let lanes = (radius..radius + size.height as usize).zip(field.chunks_exact_mut(width));
        for (y, out) in lanes {
            let row = |at: usize| &source[rows[at] * width..][..width];
            Rows { half: &self.half, before: |k| row(y - k), after: |k| row(y + k), out }.dispatch();
        }
        // Along the rows, which are made longer first.
        let columns = beyond(size.width);
        let mut long = vec![0.0; columns.len()];
        for out in field.chunks_exact_mut(width) {
            long.iter_mut().zip(&columns).for_each(|(x, from)| *x = out[*from]);
            let long = &long;
            let from = |at: usize| &long[at..at + width];
            Rows { half: &self.half, before: |k| from(radius - k), after: |k| from(radius + k), out }.dispatch();
        }
    }
}

/// Adds up rows by their weights, the two that have the same one first.
struct Rows<'r, B, A> {
    half: &'r [f32],
    before: B,
    after: A,
    out: &'r mut [f32],
}

impl<'s, B: Fn(usize) -> &'s [f32], A: Fn(usize) -> &'s [f32]> Kernel for Rows<'_, B, A> {
    type Output = ();

    #[inline(always)]
    fn run(mut self) {
        let wide = self.run_lanes::<64>(0);
        let all = self.run_lanes::<32>(wide);
        for at in all..self.out.len() {
            let mut sum = self.half[0] * (self.after)(0)[at];
            for (k, weight) in self.half.iter().enumerate().skip(1) {
                sum += weight * ((self.before)(k)[at] + (self.after)(k)[at]);
            }
            self.out[at] = sum;
        }
    }
}

impl<'s, B: Fn(usize) -> &'s [f32], A: Fn(usize) -> &'s [f32]> Rows<'_, B, A> {
    /// Makes as many values from `first` as there are whole groups of `LANES`; returns where they end.
    #[inline(always)]
    fn run_lanes<const LANES: usize>(&mut self, first: usize) -> usize {
        let mut at = first;
        for out in self.out[first..].as_chunks_mut::<LANES>().0 {
            let mut sums = [0.0; LANES];
            for (sum, x) in sums.iter_mut().zip(&(self.after)(0)[at..at + LANES]) {
                *sum = self.half[0] * x;
            }
            for (k, weight) in self.half.iter().enumerate().skip(1) {
                let before = &(self.before)(k)[at..at + LANES];
                let after = &(self.after)(k)[at..at + LANES];
                for lane in 0..LANES {
                    sums[lane] += weight * (before[lane] + after[lane]);
                }
            }
            *out = sums;
            at += LANES;
        }
        at
    }
}

/// Most standard deviation in pixels.
const MOST_SIGMA: f64 = 200.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn smoothing_keeps_a_constant_and_spreads_a_point_evenly() {
        let size = Size::new(45, 7);
        for mirrored in [false, true] {
            let smoothing = Smoothing::new(2.0, mirrored);
            let mut constant = vec![0.75_f32; size.area() as usize];
            smoothing.smooth(&mut constant, size);
            assert!(constant.iter().all(|x| (x - 0.75).abs() < 1e-6));
        }
        let mut point = vec![0.0_f32; 45 * 45];
        point[22 * 45 + 22] = 1.0;
        Smoothing::new(2.0, false).smooth(&mut point, Size::new(45, 45));
        assert!((point.iter().sum::<f32>() - 1.0).abs() < 1e-5);
        let at = |x: usize, y: usize| point[y * 45 + x];
        assert!(at(22, 22) > at(23, 22) && at(23, 22) == at(21, 22) && (at(22, 25) - at(25, 22)).abs() < 1e-9);
    }

    #[test]
    fn noise_fills_its_range_and_no_more() {
        let fields = noise(5, Size::new(64, 64), true, 2);
        let most = fields.iter().flatten().fold(0.0_f32, |most, x| most.max(x.abs()));
        assert!(fields.len() == 2 && most == 1.0 && fields[0] != fields[1]);
        let uniform = noise(5, Size::new(64, 64), false, 1);
        let mean = uniform[0].iter().sum::<f32>() / 4096.0;
        assert!(mean.abs() < 0.05 && uniform[0].iter().all(|x| x.abs() <= 1.0), "{mean}");
    }
}
