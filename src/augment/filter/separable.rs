//! Symmetric filters of a row, then of a column, in 32-bit floats, every sum from the middle outwards.

use super::border::Beyond;
use super::recycle;
use crate::augment::op::Scratch;
use crate::image::{Image, ValuesMut};
use crate::simd::{Kernel, Level};

/// Convolves rows and columns with the symmetric kernel whose half is `weights` (the middle first), and multiplies with `scale`.
/// Beyond the edge the image is mirrored. 8 bits are rounded (half to even) and saturated, floats clamped to `limit` if there is one.
pub(super) fn convolve(image: &mut Image<'_>, weights: &[f32], scale: f32, limit: Option<f32>, scratch: &mut Scratch) {
    convolve_at(Level::current(), image, weights, scale, limit, scratch);
}

/// As [`convolve`], at `level` or at the highest that the processor has if that is lower.
pub(super) fn convolve_at(
    level: Level,
    image: &mut Image<'_>,
    weights: &[f32],
    scale: f32,
    limit: Option<f32>,
    scratch: &mut Scratch,
) {
    let (size, channels) = (image.size(), image.channels());
    let (width, height) = (size.width as usize * channels, size.height as usize);
    let Some(radius) = weights.len().checked_sub(1) else { return };
    let mut padded = scratch.floats(width + 2 * radius * channels);
    let mut rows = scratch.floats(width * height);
    let mut values = image.values_mut();
    for (y, row) in rows.chunks_exact_mut(width).enumerate() {
        let from = y * width..(y + 1) * width;
        match &values {
            ValuesMut::U8(values) => Beyond::Reflect.pad(&values[from], channels, radius, &mut padded, f32::from),
            ValuesMut::F32(values) => Beyond::Reflect.pad(&values[from], channels, radius, &mut padded, |x| x),
        }
        Row { weights, channels, padded: &padded, row }.run_at(level);
    }
    for y in 0..height {
        let to = y * width..(y + 1) * width;
        match &mut values {
            ValuesMut::U8(values) => {
                Column { weights, y, height, rows: &rows, out: &mut values[to], finish: Rounded(scale) }.run_at(level);
            }
            ValuesMut::F32(values) => {
                let finish = Clamped(scale, limit.unwrap_or(f32::INFINITY), limit.map_or(f32::NEG_INFINITY, |_| 0.0));
                Column { weights, y, height, rows: &rows, out: &mut values[to], finish }.run_at(level);
            }
        }
    }
    recycle(padded, scratch);
    recycle(rows, scratch);
}

/// One row, from the padded one.
struct Row<'a> {
    weights: &'a [f32],
    channels: usize,
    padded: &'a [f32],
    row: &'a mut [f32],
}

impl Kernel for Row<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Row { weights, channels, padded, row } = self;
        let middle = (weights.len() - 1) * channels;
        let mut at = 0;
        let (chunks, rest) = row.as_chunks_mut::<LANES>();
        for chunk in chunks {
            *chunk = weighted(weights, |far| {
                (chunk_of(padded, middle + at - far * channels), chunk_of(padded, middle + at + far * channels))
            });
            at += LANES;
        }
        for x in rest {
            let mut sum = weights[0] * padded[middle + at];
            for (far, weight) in weights.iter().enumerate().skip(1) {
                sum += weight * (padded[middle + at - far * channels] + padded[middle + at + far * channels]);
            }
            *x = sum;
            at += 1;
        }
    }
}

/// One row of the result, from the filtered rows above and below it.
struct Column<'a, T, F> {
    weights: &'a [f32],
    y: usize,
    height: usize,
    rows: &'a [f32],
    out: &'a mut [T],
    finish: F,
}

impl<T: Copy, F: Finish<T>> Kernel for Column<'_, T, F> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Column { weights, y, height, rows, out, finish } = self;
        let width = out.len();
        let start = |far: i64| Beyond::Reflect.index(y as i64 + far, height) * width;
        // Where the rows begin, by their distance: a kernel has at most 255 of them.
        let mut starts = [(0, 0); MOST_WEIGHTS];
        let weights = &weights[..weights.len().min(MOST_WEIGHTS)];
        for (far, pair) in starts.iter_mut().enumerate().take(weights.len()) {
            *pair = (start(-(far as i64)), start(far as i64));
        }
        let mut at = 0;
        let (chunks, rest) = out.as_chunks_mut::<LANES>();
        for chunk in chunks {
            let sums =
                weighted(weights, |far| (chunk_of(rows, starts[far].0 + at), chunk_of(rows, starts[far].1 + at)));
            for (to, sum) in chunk.iter_mut().zip(sums) {
                *to = finish.finish(sum);
            }
            at += LANES;
        }
        for x in rest {
            let mut sum = weights[0] * rows[starts[0].0 + at];
            for (weight, (above, below)) in weights.iter().zip(starts).skip(1) {
                sum += weight * (rows[above + at] + rows[below + at]);
            }
            *x = finish.finish(sum);
            at += 1;
        }
    }
}

/// The weighted sum of pairs at each distance from the middle.
#[inline(always)]
fn weighted<'a>(weights: &[f32], pair: impl Fn(usize) -> (&'a [f32; LANES], &'a [f32; LANES])) -> [f32; LANES] {
    let middle = pair(0).0;
    let mut sums = [0.0; LANES];
    for lane in 0..LANES {
        sums[lane] = weights[0] * middle[lane];
    }
    for (far, weight) in weights.iter().enumerate().skip(1) {
        let (before, after) = pair(far);
        for lane in 0..LANES {
            sums[lane] += weight * (before[lane] + after[lane]);
        }
    }
    sums
}

#[inline(always)]
fn chunk_of(values: &[f32], at: usize) -> &[f32; LANES] {
    values[at..].first_chunk().expect("a whole chunk: rows are as long as the one that is made, or padded")
}

/// What becomes of a sum.
trait Finish<T> {
    /// The value. Must be `#[inline(always)]`.
    fn finish(&self, sum: f32) -> T;
}

/// Times a scale, to 8 bits.
struct Rounded(f32);

impl Finish<u8> for Rounded {
    #[inline(always)]
    #[allow(unsafe_code)]
    fn finish(&self, sum: f32) -> u8 {
        let x = sum * self.0;
        let x = if x > 0.0 { x } else { 0.0 };
        let x = if x < 255.0 { x } else { 255.0 };
        // SAFETY: from 0 to 255. A checked cast does not become vectors.
        unsafe { x.round_ties_even().to_int_unchecked::<i32>() as u8 }
    }
}

/// Times a scale, no more than the second, no less than the third.
struct Clamped(f32, f32, f32);

impl Finish<f32> for Clamped {
    #[inline(always)]
    fn finish(&self, sum: f32) -> f32 {
        let x = sum * self.0;
        let x = if x < self.1 { x } else { self.1 };
        if x > self.2 { x } else { self.2 }
    }
}

/// Values of a chunk: as many as stay in registers.
const LANES: usize = 32;
/// Most weights of half a kernel: a side of 255.
pub(super) const MOST_WEIGHTS: usize = 128;
