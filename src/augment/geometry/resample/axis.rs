use super::kernel::Kernel;

/// One direction of a convolution: for every output pixel a run of source pixels with their weights, which add up to 1.
pub(super) struct Taps {
    runs: Vec<Run>,
    weights: Vec<f32>,
}

#[derive(Clone, Copy)]
struct Run {
    /// First source pixel.
    source: u32,
    /// First weight.
    first: u32,
    length: u32,
}

impl Taps {
    /// From `from` pixels to `to`. With `antialias` the kernel is as wide as an output pixel where that is wider. What the
    /// kernel has beyond the edges is left out.
    pub(super) fn new(kernel: Kernel, antialias: bool, from: u32, to: u32) -> Self {
        let scale = f64::from(from) / f64::from(to);
        let stretch = if antialias { scale.max(1.0) } else { 1.0 };
        let support = kernel.support() * stretch;
        let mut taps = Taps { runs: Vec::with_capacity(to as usize), weights: Vec::new() };
        let mut exact = Vec::new();
        for x in 0..to {
            let centre = (f64::from(x) + 0.5) * scale;
            let start = (centre - support).floor().max(0.0) as u32;
            let end = ((centre + support).ceil() as u32).min(from);
            exact.clear();
            exact.extend((start..end).map(|at| kernel.weight((f64::from(at) + 0.5 - centre) / stretch)));
            let zeros = exact.iter().take_while(|weight| **weight == 0.0).count();
            let length = exact.iter().rposition(|weight| *weight != 0.0).map_or(0, |last| last + 1 - zeros);
            let first = taps.weights.len() as u32;
            if length == 0 {
                // No pixel in reach, by a hair's breadth of rounding: the nearest one.
                taps.runs.push(Run { source: (centre as u32).min(from - 1), first, length: 1 });
                taps.weights.push(1.0);
                continue;
            }
            let exact = &exact[zeros..][..length];
            let sum: f64 = exact.iter().sum();
            taps.weights.extend(exact.iter().map(|weight| (weight / sum) as f32));
            taps.runs.push(Run { source: start + zeros as u32, first, length: length as u32 });
        }
        taps
    }

    /// Number of output pixels.
    pub(super) fn len(&self) -> usize {
        self.runs.len()
    }

    /// First source pixel and weights of output pixel `x`.
    #[inline(always)]
    pub(super) fn run(&self, x: usize) -> (usize, &[f32]) {
        let run = self.runs[x];
        (run.source as usize, &self.weights[run.first as usize..][..run.length as usize])
    }
}

/// One direction of linear interpolation: for every output pixel two neighbours, and how far it lies from the first to the
/// second.
pub(super) struct Neighbours {
    pairs: Vec<Pair>,
}

/// The neighbours of an output pixel.
#[derive(Clone, Copy)]
pub(super) struct Pair {
    /// Left or upper neighbour.
    pub(super) lower: u32,
    /// Right or lower neighbour; the same one at the edges.
    pub(super) upper: u32,
    /// From 0 at the first to 1 at the second.
    pub(super) fraction: f32,
}

impl Neighbours {
    /// From `from` pixels to `to`. Places are computed in 32-bit floats, as TensorFlow and torch do, so that fractions equal
    /// theirs.
    pub(super) fn new(from: u32, to: u32) -> Self {
        let scale = from as f32 / to as f32;
        let pair = |x: u32| {
            let place = (x as f32 + 0.5) * scale - 0.5;
            let floor = place.floor();
            let lower = (floor.max(0.0) as u32).min(from - 1);
            let upper = (place.ceil().max(0.0) as u32).min(from - 1);
            Pair { lower, upper, fraction: place - floor }
        };
        Neighbours { pairs: (0..to).map(pair).collect() }
    }

    /// The neighbours of every output pixel.
    #[inline(always)]
    pub(super) fn pairs(&self) -> &[Pair] {
        &self.pairs
    }
}
