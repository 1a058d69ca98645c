use super::kernel::Kernel;
use super::span::Span;

/// One direction of a convolution: for every output pixel a run of source pixels with their weights, which add up to 1. All runs
/// are of one length, so that loops over them have no branch to guess; shorter ones are filled up with weights of 0.
#[derive(Debug)]
pub(super) struct Taps {
    /// First source pixel of every run.
    starts: Vec<u32>,
    /// `length` weights of every run.
    weights: Vec<f32>,
    length: usize,
}

impl Taps {
    /// From a span of pixels to `to`. With `antialias` the kernel is as wide as an output pixel where that is wider. What the
    /// kernel has beyond the edges is left out.
    pub(super) fn new(kernel: Kernel, antialias: bool, span: &Span, to: u32) -> Self {
        let (from, begin, scale) = (span.pixels(), span.start(), span.scale(to));
        let stretch = if antialias { scale.max(1.0) } else { 1.0 };
        let support = kernel.support() * stretch;
        // A run has at most as many pixels as begin and end within the support.
        let room = ((2.0 * support).ceil() as usize + 1).min(from as usize);
        let mut taps = Taps { starts: Vec::with_capacity(to as usize), weights: Vec::new(), length: 1 };
        let mut exact = Vec::with_capacity(room * to as usize);
        for x in 0..to {
            let centre = begin + (f64::from(x) + 0.5) * scale;
            let first = (centre - support).floor().max(0.0) as u32;
            // Where the run would stick out, it begins earlier, with weights of 0.
            let first = first.min(from - room as u32);
            let at = exact.len();
            exact.extend((0..room as u32).map(|k| kernel.weight((f64::from(first + k) + 0.5 - centre) / stretch)));
            normalise(&mut exact[at..], (centre as u32).min(from - 1) - first);
            let run = &exact[at..];
            let zeros = run.iter().take_while(|weight| **weight == 0.0).count();
            let length = run.iter().rposition(|weight| *weight != 0.0).map_or(1, |last| last + 1 - zeros);
            taps.length = taps.length.max(length);
            taps.starts.push(first + zeros as u32);
        }
        // Now that the longest run is known, all are cut to its length.
        for (x, start) in taps.starts.iter_mut().enumerate() {
            let centre = begin + (x as f64 + 0.5) * scale;
            let first = ((centre - support).floor().max(0.0) as u32).min(from - room as u32);
            *start = (*start).min(first + (room - taps.length) as u32);
            let run = &exact[x * room..][(*start - first) as usize..][..taps.length];
            taps.weights.extend(run.iter().map(|weight| *weight as f32));
        }
        taps
    }

    /// Exchanges the first output pixel and the last one, and so on.
    pub(super) fn mirror(&mut self) {
        self.starts.reverse();
        self.weights.reverse();
        self.weights.chunks_mut(self.length).for_each(<[f32]>::reverse);
    }

    /// Number of output pixels.
    pub(super) fn count(&self) -> usize {
        self.starts.len()
    }

    /// Number of weights of every output pixel.
    pub(super) fn length(&self) -> usize {
        self.length
    }

    /// First source pixel and weights of output pixel `x`.
    #[inline(always)]
    pub(super) fn run(&self, x: usize) -> (usize, &[f32]) {
        (self.starts[x] as usize, &self.weights[x * self.length..][..self.length])
    }

    /// First source pixel and weights of every output pixel, if they are `N`.
    #[inline(always)]
    pub(super) fn runs<const N: usize>(&self) -> impl Iterator<Item = (usize, &[f32; N])> {
        self.starts.iter().map(|start| *start as usize).zip(self.weights.as_chunks::<N>().0)
    }
}

/// Divides weights by their sum. Where no pixel is in reach, by a hair's breadth of rounding, the `nearest` counts.
fn normalise(weights: &mut [f64], nearest: u32) {
    let sum: f64 = weights.iter().sum();
    if sum == 0.0 {
        weights[nearest as usize] = 1.0;
    } else {
        weights.iter_mut().for_each(|weight| *weight /= sum);
    }
}

/// One direction of linear interpolation: for every output pixel two neighbours, and how far it lies from the first to the
/// second.
#[derive(Debug)]
pub(super) struct Neighbours {
    pairs: Vec<Pair>,
    /// Number of source pixels: more than any neighbour's place.
    #[cfg(target_arch = "x86_64")]
    from: usize,
    #[cfg(target_arch = "x86_64")]
    fours: Vec<FourPairs>,
}

/// The neighbours of four output pixels, as a line of the cache.
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
pub(super) struct FourPairs {
    /// The fraction of each pixel, for each of its three values.
    pub(super) fractions: [f32; 12],
    /// The first neighbour of each pixel, if the second one is the next in all four.
    pub(super) lower: [u32; 4],
}

#[cfg(target_arch = "x86_64")]
impl FourPairs {
    /// In the place of a neighbour's: the four pixels are not all between one pixel and the next.
    pub(super) const APART: [u32; 4] = [u32::MAX; 4];

    fn all(pairs: &[Pair]) -> Vec<Self> {
        pairs.as_chunks::<4>().0.iter().map(Self::of).collect()
    }

    fn of(pairs: &[Pair; 4]) -> Self {
        let next = pairs.iter().all(|pair| pair.upper == pair.lower + 1);
        FourPairs {
            fractions: std::array::from_fn(|at| pairs[at / 3].fraction),
            lower: if next { pairs.map(|pair| pair.lower) } else { Self::APART },
        }
    }
}

/// The neighbours of an output pixel.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pair {
    /// Left or upper neighbour.
    pub(super) lower: u32,
    /// Right or lower neighbour; the same one at the edges.
    pub(super) upper: u32,
    /// From 0 at the first to 1 at the second.
    pub(super) fraction: f32,
}

impl Neighbours {
    /// From a span of pixels to `to`. Places are computed in 32-bit floats, as TensorFlow and torch do, so that fractions equal
    /// theirs.
    pub(super) fn new(span: &Span, to: u32) -> Self {
        let (from, start, scale) = (span.pixels(), span.start() as f32, span.scale(to) as f32);
        let pair = |x: u32| {
            let place = start + (x as f32 + 0.5) * scale - 0.5;
            let floor = place.floor();
            let lower = (floor.max(0.0) as u32).min(from - 1);
            let upper = (place.ceil().max(0.0) as u32).min(from - 1);
            Pair { lower, upper, fraction: place - floor }
        };
        let pairs: Vec<Pair> = (0..to).map(pair).collect();
        Neighbours {
            #[cfg(target_arch = "x86_64")]
            from: from as usize,
            #[cfg(target_arch = "x86_64")]
            fours: FourPairs::all(&pairs),
            pairs,
        }
    }

    /// Exchanges the first output pixel and the last one, and so on.
    pub(super) fn mirror(&mut self) {
        self.pairs.reverse();
        #[cfg(target_arch = "x86_64")]
        {
            self.fours = FourPairs::all(&self.pairs);
        }
    }

    /// The neighbours of each four output pixels; the last ones, fewer than four, are not among them.
    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    pub(super) fn fours(&self) -> &[FourPairs] {
        &self.fours
    }

    /// Number of source pixels.
    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    pub(super) fn from(&self) -> usize {
        self.from
    }

    /// The neighbours of every output pixel.
    #[inline(always)]
    pub(super) fn pairs(&self) -> &[Pair] {
        &self.pairs
    }
}
