use super::kernel::Kernel;
use super::span::Span;

/// One direction of a convolution in whole numbers: for every output pixel a run of source pixels with their weights, which add
/// up to [`ONE`], but for their rounding. All runs are of one length, so that loops over them have no branch to guess; shorter
/// ones are filled up with weights of 0.
#[derive(Default)]
pub(in crate::augment) struct Fixed {
    /// What the runs are for; made again only for something else.
    made_for: Option<(Kernel, Span, u32)>,
    /// First source pixel of every run, which leaves room for `length` pixels. Four of them at least, and a multiple of four: the
    /// last ones are repeated.
    starts: Vec<u32>,
    /// `stride` weights of every run.
    weights: Vec<i32>,
    /// Longest run, at most as long as the source.
    length: usize,
    /// `length`, rounded up to a multiple of `step`.
    stride: usize,
    /// How many weights a loop over a run takes at once, so that few of them are in vain: 2 if these are all, 3 to 5 otherwise.
    step: usize,
    /// Weights of one run before they are rounded.
    exact: Vec<f64>,
}

/// Bits of a weight below the point: 32, less 8 of a value, less 2 for sign and overshoot.
pub(super) const BITS: u32 = 32 - 8 - 2;

/// A half of 1, which makes rounding to the nearest of cutting off.
pub(super) const HALF: i32 = 1 << (BITS - 1);

/// The weight of a pixel that is the only one.
const ONE: f64 = (1_u32 << BITS) as f64;

impl Fixed {
    /// Makes the runs from a span of pixels to `to`, the kernel as wide as an output pixel where that is wider. A source pixel takes
    /// part if its centre is within reach.
    pub(super) fn make(&mut self, kernel: Kernel, span: &Span, to: u32) {
        if self.made_for == Some((kernel, *span, to)) {
            return;
        }
        let (from, start, scale) = (span.pixels(), span.start(), span.scale(to));
        let stretch = scale.max(1.0);
        let support = kernel.support() * stretch;
        let centre = |x: u32| start + (f64::from(x) + 0.5) * scale;
        // Conversion cuts the fraction off, and makes 0 of what is below.
        let reach = |x: u32| {
            let first = ((centre(x) - support + 0.5) as u32).min(from - 1);
            (first, ((centre(x) + support + 0.5) as u32).clamp(first + 1, from))
        };
        let lengths = (0..to).map(reach).map(|(first, end)| (end - first) as usize);
        self.length = lengths.max().unwrap_or(1);
        self.step = match self.length {
            0..=2 => 2,
            length => [5, 4, 3].into_iter().min_by_key(|step| length.next_multiple_of(*step)).unwrap_or(4),
        };
        self.stride = self.length.next_multiple_of(self.step);
        let padded = to.next_multiple_of(4) as usize;
        self.starts.clear();
        self.weights.clear();
        self.weights.resize(padded * self.stride, 0);
        let narrow = 1.0 / stretch;
        for (x, weights) in (0..to).zip(self.weights.chunks_exact_mut(self.stride)) {
            let (first, end) = reach(x);
            // Where a full run would stick out it begins earlier, with weights of 0.
            let start = first.min(from - self.length as u32);
            self.exact.clear();
            self.exact.extend((first..end).map(|at| kernel.weight((f64::from(at) - centre(x) + 0.5) * narrow)));
            let sum: f64 = self.exact.iter().sum();
            let weights = &mut weights[(first - start) as usize..];
            for (weight, exact) in weights.iter_mut().zip(&self.exact) {
                *weight = rounded(exact / sum * ONE);
            }
            self.starts.push(start);
        }
        let last = self.starts.last().copied().unwrap_or(0);
        self.starts.resize(padded, last);
        self.made_for = Some((kernel, *span, to));
    }

    /// Number of source pixels; 0 before any runs were made.
    #[cfg(any(test, target_arch = "x86_64"))]
    pub(super) fn from(&self) -> usize {
        self.made_for.map_or(0, |(_, span, _)| span.pixels() as usize)
    }

    /// Longest run.
    pub(super) fn length(&self) -> usize {
        self.length
    }

    /// How many weights to take at once, 2 to 5.
    #[cfg(target_arch = "x86_64")]
    pub(super) fn step(&self) -> usize {
        self.step
    }

    /// First source pixel and the `length` weights of output pixel `x`.
    #[inline(always)]
    pub(super) fn run(&self, x: usize) -> (usize, &[i32]) {
        (self.starts[x] as usize, &self.weights[x * self.stride..][..self.length])
    }

    /// How many steps a run has.
    #[cfg(target_arch = "x86_64")]
    pub(super) fn steps(&self) -> usize {
        self.stride / self.step
    }

    /// Four runs at once: their starts, and their weights, whole steps of them each. There are as many fours as hold all runs, and
    /// `start + length` is at most [`Fixed::from`] in each.
    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    pub(super) fn fours(&self) -> impl Iterator<Item = (&[u32; 4], &[i32])> {
        self.starts.as_chunks::<4>().0.iter().zip(self.weights.chunks_exact(4 * self.stride))
    }
}

/// The nearest whole number, halves away from 0.
fn rounded(x: f64) -> i32 {
    (if x < 0.0 { x - 0.5 } else { x + 0.5 }) as i32
}

#[cfg(test)]
mod tests {
    use super::*;

    const KERNELS: [Kernel; 4] = [Kernel::Bilinear, Kernel::Bicubic, Kernel::Box, Kernel::Lanczos3];

    #[test]
    fn runs_lie_inside_and_add_up_to_one_without_overflow() {
        let mut fixed = Fixed::default();
        for kernel in KERNELS {
            for (from, to) in
                [(1, 1), (1, 9), (9, 1), (2, 7), (3, 16384), (16384, 3), (300, 224), (224, 300), (5, 4), (31, 31)]
            {
                fixed.make(kernel, &Span::all(from), to);
                assert_eq!(fixed.from(), from as usize);
                for x in 0..to as usize {
                    let (start, weights) = fixed.run(x);
                    assert!(start + weights.len() <= from as usize, "{kernel:?} {from} to {to} at {x}");
                    let sum: i64 = weights.iter().map(|weight| i64::from(*weight)).sum();
                    assert!((sum - (1 << BITS)).unsigned_abs() <= weights.len() as u64, "{kernel:?} {from} to {to}");
                    let most: i64 = weights.iter().map(|weight| i64::from(*weight).abs() * 255).sum();
                    assert!(most + i64::from(HALF) <= i64::from(i32::MAX), "{kernel:?} {from} to {to}: {most}");
                }
            }
        }
    }

    #[test]
    fn equal_sizes_take_each_pixel_alone_and_halves_round_away_from_zero() {
        let mut fixed = Fixed::default();
        for kernel in KERNELS {
            fixed.make(kernel, &Span::all(7), 7);
            for x in 0..7 {
                let (start, weights) = fixed.run(x);
                let alone = |(at, weight): (usize, &i32)| *weight == if start + at == x { 1 << BITS } else { 0 };
                assert!(weights.iter().enumerate().all(alone), "{kernel:?} at {x}");
            }
        }
        assert_eq!([0.5, 1.5, -0.5, -1.4, 2.4999].map(rounded), [1, 2, -1, -1, 2]);
    }
}
