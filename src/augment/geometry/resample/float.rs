use super::axis::{Neighbours, Pair, Taps};
use super::kernel::Kernel;
use super::source::{Source, Value};
use crate::augment::op::Scratch;
use crate::image::{Image, Size};

/// Fills `out`, an image of size `to`, in 32-bit floats: for every output row first the source rows are mixed, then the columns,
/// each in the order of the source. No multiplication is fused with an addition, and no sum is split over lanes, so that every
/// SIMD level gives the same bytes.
pub(super) fn resample<T: Value, O: Value>(
    kernel: Kernel,
    antialias: bool,
    source: &Source<'_, T>,
    to: Size,
    out: &mut [O],
    scratch: &mut Scratch,
) {
    let from = source.size();
    let grid = match kernel {
        Kernel::Bilinear if !antialias => {
            Grid::Linear(Neighbours::new(from.width, to.width), Neighbours::new(from.height, to.height))
        }
        _ => Grid::Convolution(
            Taps::new(kernel, antialias, from.width, to.width),
            Taps::new(kernel, antialias, from.height, to.height),
        ),
    };
    let mut mixed = scratch.floats(from.width as usize * source.channels() + SPARE);
    best(&grid, source, &mut mixed, out);
    scratch.recycle(Image::from_f32(Size::new(mixed.len() as u32, 1), 1, mixed));
}

/// Both directions: columns, rows.
enum Grid {
    Linear(Neighbours, Neighbours),
    Convolution(Taps, Taps),
}

/// Floats beyond the end of a row, so that the last pixel of three channels can be read as four.
const SPARE: usize = 1;

/// [`rows`], by the widest instructions that the processor has.
fn best<T: Value, O: Value>(grid: &Grid, source: &Source<'_, T>, mixed: &mut [f32], out: &mut [O]) {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2") {
        // SAFETY: the processor has what the function is compiled for.
        #[allow(unsafe_code)]
        return unsafe { rows_avx2(grid, source, mixed, out) };
    }
    rows(grid, source, mixed, out);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn rows_avx2<T: Value, O: Value>(grid: &Grid, source: &Source<'_, T>, mixed: &mut [f32], out: &mut [O]) {
    rows(grid, source, mixed, out);
}

/// Makes every row of `out`. `mixed` holds one source row and [`SPARE`].
#[inline(always)]
fn rows<T: Value, O: Value>(grid: &Grid, source: &Source<'_, T>, mixed: &mut [f32], out: &mut [O]) {
    let channels = source.channels();
    match grid {
        Grid::Linear(columns, rows) => {
            let out = out.chunks_exact_mut(columns.pairs().len() * channels);
            for (pair, out) in rows.pairs().iter().zip(out) {
                blend_rows(source, *pair, mixed);
                match channels {
                    3 => blend_rgb(columns, mixed, out),
                    _ => blend_gray(columns, mixed, out),
                }
            }
        }
        Grid::Convolution(columns, rows) => {
            let out = out.chunks_exact_mut(columns.len() * channels);
            for (y, out) in out.enumerate() {
                let (first, weights) = rows.run(y);
                sum_rows(source, first, weights, mixed);
                match channels {
                    3 => sum_rgb(columns, mixed, out),
                    _ => sum_gray(columns, mixed, out),
                }
            }
        }
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
fn blend_rgb<O: Value>(columns: &Neighbours, mixed: &[f32], out: &mut [O]) {
    for (pair, pixel) in columns.pairs().iter().zip(out.as_chunks_mut::<3>().0) {
        let (a, b) = (four(mixed, pair.lower as usize), four(mixed, pair.upper as usize));
        let x: [f32; 4] = std::array::from_fn(|lane| between(a[lane], b[lane], pair.fraction));
        *pixel = [O::nearest(x[0]), O::nearest(x[1]), O::nearest(x[2])];
    }
}

#[inline(always)]
fn blend_gray<O: Value>(columns: &Neighbours, mixed: &[f32], out: &mut [O]) {
    for (pair, value) in columns.pairs().iter().zip(out) {
        *value = O::nearest(between(mixed[pair.lower as usize], mixed[pair.upper as usize], pair.fraction));
    }
}

#[inline(always)]
fn sum_rows<T: Value>(source: &Source<'_, T>, first: usize, weights: &[f32], mixed: &mut [f32]) {
    mixed.fill(0.0);
    let (quads, rest) = weights.as_chunks::<4>();
    for (quad, [p, q, r, s]) in quads.iter().enumerate() {
        let row = |index: usize| source.row(first + 4 * quad + index);
        let sources = row(0).iter().zip(row(1)).zip(row(2)).zip(row(3));
        for (out, (((a, b), c), d)) in mixed.iter_mut().zip(sources) {
            *out = *out + a.float() * p + b.float() * q + c.float() * r + d.float() * s;
        }
    }
    for (index, weight) in rest.iter().enumerate() {
        let row = source.row(first + 4 * quads.len() + index);
        mixed.iter_mut().zip(row).for_each(|(out, a)| *out += a.float() * weight);
    }
}

#[inline(always)]
fn sum_rgb<O: Value>(columns: &Taps, mixed: &[f32], out: &mut [O]) {
    for (x, pixel) in out.as_chunks_mut::<3>().0.iter_mut().enumerate() {
        let (first, weights) = columns.run(x);
        let mut sum = [0.0; 4];
        for (index, weight) in weights.iter().enumerate() {
            let a = four(mixed, first + index);
            sum = std::array::from_fn(|lane| sum[lane] + a[lane] * weight);
        }
        *pixel = [O::nearest(sum[0]), O::nearest(sum[1]), O::nearest(sum[2])];
    }
}

#[inline(always)]
fn sum_gray<O: Value>(columns: &Taps, mixed: &[f32], out: &mut [O]) {
    for (x, value) in out.iter_mut().enumerate() {
        let (first, weights) = columns.run(x);
        let sum = mixed[first..].iter().zip(weights).fold(0.0, |sum, (a, weight)| sum + a * weight);
        *value = O::nearest(sum);
    }
}

/// What lies between `a` and `b`: TensorFlow's form, exact for equal values.
#[inline(always)]
fn between(a: f32, b: f32, fraction: f32) -> f32 {
    a + (b - a) * fraction
}

/// Three values of a pixel and one more: as many as a register holds.
#[inline(always)]
fn four(mixed: &[f32], pixel: usize) -> [f32; 4] {
    *mixed[pixel * 3..].first_chunk().expect("a pixel of a row and the spare value behind it")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::Window;
    use crate::seed::{Key, Purpose};

    #[test]
    fn every_simd_level_gives_the_same_bits() {
        let mut rng = Key { seed: 5, epoch: 0, position: 0, view: 0, op: 0, purpose: Purpose::Op }.rng();
        for round in 0..40 {
            let size = Size::new(1 + rng.below(300) as u32, 1 + rng.below(200) as u32);
            let to = Size::new(1 + rng.below(250) as u32, 1 + rng.below(250) as u32);
            let channels = [1, 3][round % 2];
            let values: Vec<f32> = (0..size.area() as usize * channels).map(|_| rng.unit() as f32 - 0.2).collect();
            let source = Source::new(&values, size, channels, Window { x: 0, y: 0, size });
            for kernel in [Kernel::Bilinear, Kernel::Bicubic, Kernel::Lanczos3, Kernel::Box] {
                let grid = match round % 4 {
                    0 | 1 => {
                        Grid::Linear(Neighbours::new(size.width, to.width), Neighbours::new(size.height, to.height))
                    }
                    _ => Grid::Convolution(
                        Taps::new(kernel, true, size.width, to.width),
                        Taps::new(kernel, true, size.height, to.height),
                    ),
                };
                let made = |level: fn(&Grid, &Source<'_, f32>, &mut [f32], &mut [f32])| {
                    let mut mixed = vec![0.0; size.width as usize * channels + SPARE];
                    let mut out = vec![0.0; to.area() as usize * channels];
                    level(&grid, &source, &mut mixed, &mut out);
                    out.into_iter().map(f32::to_bits).collect::<Vec<_>>()
                };
                assert_eq!(made(rows), made(best), "{kernel:?} from {size} to {to}");
            }
        }
    }
}
