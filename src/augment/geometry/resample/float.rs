use super::axis::{Neighbours, Pair, Taps};
use super::four::Four;
use super::kernel::Kernel;
use super::source::{Source, Value};
use super::span::Area;
use crate::augment::op::Scratch;
use crate::image::{Image, Size};

/// How an image is mixed in 32-bit floats: for every output row first the source rows, then the columns, each in the order of the
/// source. No multiplication is fused with an addition, and no sum is split over lanes, so that every SIMD level gives the same
/// bytes.
///
/// Both directions: columns, rows.
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
        let columns = match self {
            Grid::Linear(columns, _) => columns.pairs().len(),
            Grid::Convolution(columns, _) => columns.count(),
        };
        let mixed = source.size().width as usize * source.channels() + SPARE;
        let mut rows = scratch.floats(mixed + columns * source.channels());
        best(self, source, rows.split_at_mut(mixed), out);
        scratch.recycle(Image::from_f32(Size::new(rows.len() as u32, 1), 1, rows));
    }
}

/// Floats beyond the end of a row, so that the last pixel of three channels can be read as four.
const SPARE: usize = 1;

/// A row of the source and [`SPARE`], then a row of the result.
type Rows<'a> = (&'a mut [f32], &'a mut [f32]);

/// [`all_rows`], by the widest instructions that the processor has.
fn best<T: Value, O: Value>(grid: &Grid, source: &Source<'_, T>, rows: Rows<'_>, out: &mut [O]) {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2") {
        // SAFETY: the processor has what the function is compiled for.
        #[allow(unsafe_code)]
        return unsafe { all_rows_avx2(grid, source, rows, out) };
    }
    all_rows(grid, source, rows, out);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn all_rows_avx2<T: Value, O: Value>(grid: &Grid, source: &Source<'_, T>, rows: Rows<'_>, out: &mut [O]) {
    all_rows(grid, source, rows, out);
}

/// Makes every row of `out`.
#[inline(always)]
fn all_rows<T: Value, O: Value>(grid: &Grid, source: &Source<'_, T>, (mixed, line): Rows<'_>, out: &mut [O]) {
    for (y, out) in out.chunks_exact_mut(line.len()).enumerate() {
        let row = O::begin(out, line);
        match grid {
            Grid::Linear(columns, rows) => {
                blend_rows(source, rows.pairs()[y], mixed);
                match source.channels() {
                    3 => blend_rgb(columns, mixed, row),
                    _ => blend_gray(columns, mixed, row),
                }
            }
            Grid::Convolution(columns, rows) => {
                let (first, weights) = rows.run(y);
                sum_rows(source, first, weights, mixed);
                match source.channels() {
                    3 => sum_rgb(columns, mixed, row),
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
        *out = between(a.float(), b.float(), pair.fraction);
    }
}

#[inline(always)]
fn blend_rgb(columns: &Neighbours, mixed: &[f32], line: &mut [f32]) {
    for (x, pair) in columns.pairs().iter().enumerate() {
        let (a, b) = (four(mixed, pair.lower as usize), four(mixed, pair.upper as usize));
        put(line, x, a + (b - a) * Four::splat(pair.fraction));
    }
}

#[inline(always)]
fn blend_gray(columns: &Neighbours, mixed: &[f32], line: &mut [f32]) {
    for (pair, value) in columns.pairs().iter().zip(line) {
        *value = between(mixed[pair.lower as usize], mixed[pair.upper as usize], pair.fraction);
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
fn sum_rgb(columns: &Taps, mixed: &[f32], line: &mut [f32]) {
    match columns.length() {
        1 => sum_rgb_of::<1>(columns, mixed, line),
        2 => sum_rgb_of::<2>(columns, mixed, line),
        3 => sum_rgb_of::<3>(columns, mixed, line),
        4 => sum_rgb_of::<4>(columns, mixed, line),
        5 => sum_rgb_of::<5>(columns, mixed, line),
        6 => sum_rgb_of::<6>(columns, mixed, line),
        7 => sum_rgb_of::<7>(columns, mixed, line),
        8 => sum_rgb_of::<8>(columns, mixed, line),
        _ => {
            for x in 0..line.len() / 3 {
                let (first, weights) = columns.run(x);
                put(line, x, weighted(mixed, first, weights));
            }
        }
    }
}

#[inline(always)]
fn sum_rgb_of<const N: usize>(columns: &Taps, mixed: &[f32], line: &mut [f32]) {
    for (x, (first, weights)) in columns.runs::<N>().enumerate() {
        put(line, x, weighted(mixed, first, weights));
    }
}

/// The sum of the pixels from `first` on, each times its weight.
#[inline(always)]
fn weighted(mixed: &[f32], first: usize, weights: &[f32]) -> Four {
    let pixels = &mixed[first * 3..][..weights.len() * 3 + SPARE];
    let mut sum = Four::splat(0.0);
    for (index, weight) in weights.iter().enumerate() {
        sum = sum + four(pixels, index) * Four::splat(*weight);
    }
    sum
}

#[inline(always)]
fn sum_gray(columns: &Taps, mixed: &[f32], line: &mut [f32]) {
    for (x, value) in line.iter_mut().enumerate() {
        let (first, weights) = columns.run(x);
        *value = mixed[first..].iter().zip(weights).fold(0.0, |sum, (a, weight)| sum + a * weight);
    }
}

/// What lies between `a` and `b`: TensorFlow's form, exact for equal values.
#[inline(always)]
fn between(a: f32, b: f32, fraction: f32) -> f32 {
    a + (b - a) * fraction
}

/// Three values of a pixel and one more.
#[inline(always)]
fn four(mixed: &[f32], pixel: usize) -> Four {
    let values: [f32; 4] = *mixed[pixel * 3..].first_chunk().expect("a pixel of a row and the spare value behind it");
    values.into()
}

/// Writes a pixel, with a value more where the next pixel will stand.
#[inline(always)]
fn put(line: &mut [f32], pixel: usize, x: Four) {
    let (rest, x) = (&mut line[pixel * 3..], <[f32; 4]>::from(x));
    match rest.first_chunk_mut() {
        Some(place) => *place = x,
        None => rest[..3].copy_from_slice(&x[..3]),
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
        for round in 0..16 {
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
                    level(&grid, &source, (&mut mixed, &mut line), &mut out);
                    out.into_iter().map(f32::to_bits).collect::<Vec<_>>()
                };
                assert_eq!(made(all_rows), made(best), "{kernel:?} from {size} to {to}");
            }
        }
    }

    type Level = fn(&Grid, &Source<'_, f32>, Rows<'_>, &mut [f32]);
}
