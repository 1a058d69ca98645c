use super::axis::{Neighbours, Pair, Taps};
use super::columns::{self, Columns, Plain, SPARE};
#[cfg(target_arch = "x86_64")]
use super::columns::{Avx2, Avx512};
use super::kernel::Kernel;
use super::source::{Source, Value};
use super::span::Area;
use crate::augment::op::Scratch;
use crate::image::Size;
use crate::simd::Level;

/// How an image is mixed in 32-bit floats: for every output row first the source rows, then the columns, each in the order of the
/// source. No multiplication is fused with an addition, and no sum is split over lanes, so that every SIMD level gives the same
/// bytes.
///
/// Both directions: columns, rows.
#[derive(Debug)]
pub(super) enum Grid {
    /// Two neighbours each.
    Linear(Neighbours, Neighbours),
    /// As many as the kernel reaches.
    Convolution(Taps, Taps),
}

impl Grid {
    /// From an area of pixels to images of size `to`. With `antialias` the kernel is widened when shrinking.
    pub(super) fn new(kernel: Kernel, antialias: bool, from: &Area, to: Size) -> Self {
        match kernel {
            Kernel::Bilinear if !antialias => {
                Grid::Linear(Neighbours::new(&from.columns, to.width), Neighbours::new(&from.rows, to.height))
            }
            _ => Grid::Convolution(
                Taps::new(kernel, antialias, &from.columns, to.width),
                Taps::new(kernel, antialias, &from.rows, to.height),
            ),
        }
    }

    /// Fills `out`, an image of the size that this was made for.
    pub(super) fn fill<T: Value, O: Value>(&self, source: &Source<'_, T>, out: &mut [O], scratch: &mut Scratch) {
        let mut work = scratch.floats(self.work(source.size().width, source.channels()));
        self.rows(source, 0, &mut work, out);
        scratch.recycle_floats(work);
    }

    /// Floats that [`Grid::rows`] works with, of a source of `width`.
    pub(super) fn work(&self, width: u32, channels: usize) -> usize {
        width as usize * channels + SPARE + self.columns() * channels
    }

    /// Makes the rows of the result from row `first` on, as many as `out` has room for.
    pub(super) fn rows<T: Value, O: Value>(
        &self,
        source: &Source<'_, T>,
        first: usize,
        work: &mut [f32],
        out: &mut [O],
    ) {
        let mixed = work.len() - self.columns() * source.channels();
        at(Level::current(), self, source, first, work.split_at_mut(mixed), out);
    }

    /// Makes the result mirrored, left and right.
    pub(super) fn mirror(&mut self) {
        match self {
            Grid::Linear(columns, _) => columns.mirror(),
            Grid::Convolution(columns, _) => columns.mirror(),
        }
    }

    /// Columns of the result.
    fn columns(&self) -> usize {
        match self {
            Grid::Linear(columns, _) => columns.pairs().len(),
            Grid::Convolution(columns, _) => columns.count(),
        }
    }
}

/// Rows of the result between the one that is made and the one whose source is fetched.
const AHEAD: usize = 6;

/// A row of the source and [`SPARE`], then a row of the result.
type Rows<'a> = (&'a mut [f32], &'a mut [f32]);

/// [`all_rows`] at `level`, or at the highest that the processor has if that is lower.
fn at<T: Value, O: Value>(
    level: Level,
    grid: &Grid,
    source: &Source<'_, T>,
    first: usize,
    rows: Rows<'_>,
    out: &mut [O],
) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: the processor has what the functions are compiled for.
    #[allow(unsafe_code)]
    match level.min(Level::detected()) {
        Level::Avx512 => return unsafe { all_rows_avx512(grid, source, first, rows, out) },
        Level::Avx2 => return unsafe { all_rows_avx2(grid, source, first, rows, out) },
        Level::Baseline => {}
    }
    let _ = level;
    all_rows::<T, O, Plain>(grid, source, first, rows, out);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn all_rows_avx2<T: Value, O: Value>(grid: &Grid, source: &Source<'_, T>, first: usize, rows: Rows<'_>, out: &mut [O]) {
    all_rows::<T, O, Avx2>(grid, source, first, rows, out);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vbmi")]
fn all_rows_avx512<T: Value, O: Value>(
    grid: &Grid,
    source: &Source<'_, T>,
    first: usize,
    rows: Rows<'_>,
    out: &mut [O],
) {
    all_rows::<T, O, Avx512>(grid, source, first, rows, out);
}

/// Makes every row of `out`, which are those from row `first` on.
#[inline(always)]
fn all_rows<T: Value, O: Value, C: Columns>(
    grid: &Grid,
    source: &Source<'_, T>,
    first: usize,
    (mixed, line): Rows<'_>,
    out: &mut [O],
) {
    for (y, out) in (first..).zip(out.chunks_exact_mut(line.len())) {
        let row = O::begin(out, line);
        match grid {
            Grid::Linear(columns, rows) => {
                if let Some(next) = rows.pairs().get(y + AHEAD) {
                    source.prefetch(next.lower as usize);
                    source.prefetch(next.upper as usize);
                }
                blend_rows(source, rows.pairs()[y], mixed);
                match source.channels() {
                    // SAFETY: whoever chose the kind of columns knows the processor.
                    #[allow(unsafe_code)]
                    3 => unsafe { C::blend(columns, mixed, row) },
                    _ => blend_gray(columns, mixed, row),
                }
            }
            Grid::Convolution(columns, rows) => {
                let (first, weights) = rows.run(y);
                sum_rows(source, first, weights, mixed);
                match source.channels() {
                    3 => columns::sum(columns, mixed, row),
                    _ => sum_gray(columns, mixed, row),
                }
            }
        }
        O::finish(out, line);
    }
}

#[inline(always)]
fn blend_rows<T: Value>(source: &Source<'_, T>, pair: Pair, mixed: &mut [f32]) {
    let (upper, lower) = (source.row(pair.lower as usize), source.row(pair.upper as usize));
    if pair.lower == pair.upper {
        mixed.iter_mut().zip(upper).for_each(|(out, a)| *out = a.float());
        return;
    }
    for ((out, a), b) in mixed.iter_mut().zip(upper).zip(lower) {
        *out = T::between(*a, *b, pair.fraction);
    }
}

#[inline(always)]
fn blend_gray(columns: &Neighbours, mixed: &[f32], line: &mut [f32]) {
    for (pair, value) in columns.pairs().iter().zip(line) {
        *value = f32::between(mixed[pair.lower as usize], mixed[pair.upper as usize], pair.fraction);
    }
}

#[inline(always)]
fn sum_rows<T: Value>(source: &Source<'_, T>, first: usize, weights: &[f32], mixed: &mut [f32]) {
    mixed.fill(0.0);
    let mut first = first;
    let (fours, rest) = weights.as_chunks::<4>();
    for weights in fours {
        add_rows(source, first, weights, mixed);
        first += 4;
    }
    match *rest {
        [a, b, c] => add_rows(source, first, &[a, b, c], mixed),
        [a, b] => add_rows(source, first, &[a, b], mixed),
        [a] => add_rows(source, first, &[a], mixed),
        _ => {}
    }
}

/// Adds `N` weighted rows at once, one after the other for every value.
#[inline(always)]
fn add_rows<T: Value, const N: usize>(source: &Source<'_, T>, first: usize, weights: &[f32; N], mixed: &mut [f32]) {
    let length = mixed.len() - SPARE;
    let rows: [&[T]; N] = std::array::from_fn(|index| &source.row(first + index)[..length]);
    let mixed = &mut mixed[..length];
    for at in 0..length {
        let mut sum = mixed[at];
        for index in 0..N {
            sum += rows[index][at].float() * weights[index];
        }
        mixed[at] = sum;
    }
}

#[inline(always)]
fn sum_gray(columns: &Taps, mixed: &[f32], line: &mut [f32]) {
    for (x, value) in line.iter_mut().enumerate() {
        let (first, weights) = columns.run(x);
        *value = mixed[first..].iter().zip(weights).fold(0.0, |sum, (a, weight)| sum + a * weight);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::Window;
    use crate::seed::{Key, Purpose};

    #[test]
    fn every_simd_level_gives_the_same_bits() {
        let mut rng = Key { seed: 5, epoch: 0, position: 0, view: 0, op: 0, purpose: Purpose::Op }.rng();
        for round in 0..32 {
            let size = Size::new(1 + rng.below(300) as u32, 1 + rng.below(200) as u32);
            let to = Size::new(1 + rng.below(250) as u32, 1 + rng.below(250) as u32);
            let channels = [1, 3][round % 2];
            let values: Vec<f32> = (0..size.area() as usize * channels).map(|_| rng.unit() as f32 - 0.2).collect();
            let source = Source::new(&values, size, channels, Window { x: 0, y: 0, size });
            for kernel in [Kernel::Bilinear, Kernel::Bicubic, Kernel::Lanczos3, Kernel::Box] {
                let grid = Grid::new(kernel, round % 4 > 1, &Area::all(size), to);
                let made = |level: Level| {
                    let mut mixed = vec![0.0; size.width as usize * channels + SPARE];
                    let mut line = vec![0.0; to.width as usize * channels];
                    let mut out = vec![0.0; to.area() as usize * channels];
                    at(level, &grid, &source, 0, (&mut mixed, &mut line), &mut out);
                    out.into_iter().map(f32::to_bits).collect::<Vec<_>>()
                };
                let plain = made(Level::Baseline);
                for level in Level::available() {
                    assert_eq!(made(level), plain, "{kernel:?} from {size} to {to} at {level:?}");
                }
            }
        }
    }
}
