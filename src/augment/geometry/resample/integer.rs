use super::fixed::{BITS, Fixed, HALF};
use super::kernel::Kernel;
#[cfg(target_arch = "x86_64")]
use super::rgb;
use super::source::Source;
use crate::augment::op::Scratch;
use crate::image::{Image, Size, Window};
use crate::simd::{self, Kernel as _, Level};

/// An image of 8 bits, resized in whole numbers with the kernel widened when shrinking, as Pillow does to the bit: first the
/// columns, then the rows, each rounded to 8 bits and cut off where it overshoots. Sums of whole numbers have no order, so every
/// SIMD level gives the same bytes.
///
/// At `level`, or at the highest that the processor has if that is lower.
pub(super) fn resample(
    level: Level,
    kernel: Kernel,
    source: &Source<'_, u8>,
    to: Size,
    scratch: &mut Scratch,
) -> Vec<u8> {
    let (from, area, channels) = (source.size(), source.area(), source.channels());
    let between = Size::new(to.width, from.height);
    let mut tables = std::mem::take(&mut scratch.tables);
    let mut made = scratch.bytes(to.area() as usize * channels);
    if area.columns.is_all(to.width) {
        tables.rows.make(kernel, &area.rows, to.height);
        MixRows { source, table: &tables.rows, out: &mut made }.run_at(level);
    } else if area.rows.is_all(to.height) {
        tables.columns.make(kernel, &area.columns, to.width);
        mix_columns(level, source, &tables.columns, &mut made);
    } else {
        tables.rows.make(kernel, &area.rows, to.height);
        tables.columns.make(kernel, &area.columns, to.width);
        let mut values = scratch.bytes(between.area() as usize * channels);
        mix_columns(level, source, &tables.columns, &mut values);
        let mixed = Source::new(&values, between, channels, Window { x: 0, y: 0, size: between });
        MixRows { source: &mixed, table: &tables.rows, out: &mut made }.run_at(level);
        scratch.recycle(Image::from_u8(between, channels, values));
    }
    scratch.tables = tables;
    made
}

/// What the last image was mixed with, kept for the next.
#[derive(Default)]
pub(in crate::augment) struct Tables {
    columns: Fixed,
    rows: Fixed,
}

/// A sum of weighted values as a value of 8 bits.
#[inline(always)]
fn value(sum: i32) -> u8 {
    (sum >> BITS).clamp(0, 255) as u8
}

/// Makes rows as wide as the table says of those of the source.
fn mix_columns(level: Level, source: &Source<'_, u8>, table: &Fixed, out: &mut [u8]) {
    #[cfg(target_arch = "x86_64")]
    if source.channels() == 3 && level.min(Level::detected()) >= Level::Avx2 {
        let wide = level.min(Level::detected()) >= Level::Avx512;
        // SAFETY: the processor has what the function is compiled for.
        #[allow(unsafe_code)]
        return unsafe { rgb::mix_columns(wide, source, table, out) };
    }
    let _ = level;
    match source.channels() {
        3 => mix_columns_of::<3>(source, table, out),
        _ => mix_columns_of::<1>(source, table, out),
    }
}

fn mix_columns_of<const CHANNELS: usize>(source: &Source<'_, u8>, table: &Fixed, out: &mut [u8]) {
    let stride = out.len() / source.size().height as usize;
    for (y, out) in out.chunks_exact_mut(stride).enumerate() {
        let (row, out) = (source.row(y).as_chunks().0, out.as_chunks_mut().0);
        match table.length() {
            1 => mix_row::<CHANNELS, 1>(row, table, out),
            2 => mix_row::<CHANNELS, 2>(row, table, out),
            3 => mix_row::<CHANNELS, 3>(row, table, out),
            4 => mix_row::<CHANNELS, 4>(row, table, out),
            _ => mix_row::<CHANNELS, 5>(row, table, out),
        }
    }
}

/// Takes `N` weights at once, the length of the table or less: short loops of any length would cost more than what they do.
fn mix_row<const CHANNELS: usize, const N: usize>(row: &[[u8; CHANNELS]], table: &Fixed, out: &mut [[u8; CHANNELS]]) {
    for (x, out) in out.iter_mut().enumerate() {
        let (first, weights) = table.run(x);
        let pixels = &row[first..][..weights.len()];
        let mut sums = [HALF; CHANNELS];
        let ((pixels, more), (weights, rest)) = (pixels.as_chunks::<N>(), weights.as_chunks::<N>());
        for (pixels, weights) in pixels.iter().zip(weights) {
            add_pixels(pixels, weights, &mut sums);
        }
        for (pixel, weight) in more.iter().zip(rest) {
            add_pixels(&[*pixel], &[*weight], &mut sums);
        }
        *out = sums.map(value);
    }
}

#[inline(always)]
fn add_pixels<const CHANNELS: usize, const N: usize>(
    pixels: &[[u8; CHANNELS]; N],
    weights: &[i32; N],
    sums: &mut [i32; CHANNELS],
) {
    for index in 0..N {
        for channel in 0..CHANNELS {
            sums[channel] += i32::from(pixels[index][channel]) * weights[index];
        }
    }
}

/// Makes as many rows as the table says of those of the source, which are as wide.
struct MixRows<'a> {
    source: &'a Source<'a, u8>,
    table: &'a Fixed,
    out: &'a mut [u8],
}

impl simd::Kernel for MixRows<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let stride = self.source.size().width as usize * self.source.channels();
        for (y, out) in self.out.chunks_exact_mut(stride).enumerate() {
            let (mut first, mut weights) = self.table.run(y);
            // Rows that do not count are not read.
            while let [0, rest @ ..] = weights {
                (first, weights) = (first + 1, rest);
            }
            while let [rest @ .., 0] = weights {
                weights = rest;
            }
            match *weights {
                [a] => few_rows(self.source, first, &[a], out),
                [a, b] => few_rows(self.source, first, &[a, b], out),
                [a, b, c] => few_rows(self.source, first, &[a, b, c], out),
                [a, b, c, d] => few_rows(self.source, first, &[a, b, c, d], out),
                [a, b, c, d, e] => few_rows(self.source, first, &[a, b, c, d, e], out),
                _ => many_rows(self.source, first, weights, out),
            }
        }
    }
}

#[inline(always)]
fn few_rows<const N: usize>(source: &Source<'_, u8>, first: usize, weights: &[i32; N], out: &mut [u8]) {
    let rows = rows::<N>(source, first, 0, out.len());
    for at in 0..out.len() {
        let mut sum = HALF;
        for index in 0..N {
            sum += i32::from(rows[index][at]) * weights[index];
        }
        out[at] = value(sum);
    }
}

/// Sums of a piece of the row at a time, so that they stay in the nearest cache.
#[inline(always)]
fn many_rows(source: &Source<'_, u8>, first: usize, weights: &[i32], out: &mut [u8]) {
    for (piece, out) in out.chunks_mut(PIECE).enumerate() {
        let mut sums = [HALF; PIECE];
        let sums = &mut sums[..out.len()];
        let (fours, rest) = weights.as_chunks::<4>();
        for (four, weights) in fours.iter().enumerate() {
            add_rows(source, first + 4 * four, piece * PIECE, weights, sums);
        }
        for (index, weight) in rest.iter().enumerate() {
            add_rows(source, first + 4 * fours.len() + index, piece * PIECE, &[*weight], sums);
        }
        for (out, sum) in out.iter_mut().zip(sums) {
            *out = value(*sum);
        }
    }
}

/// Values of a row that are summed at once.
const PIECE: usize = 256;

#[inline(always)]
fn add_rows<const N: usize>(
    source: &Source<'_, u8>,
    first: usize,
    column: usize,
    weights: &[i32; N],
    sums: &mut [i32],
) {
    let rows = rows::<N>(source, first, column, sums.len());
    for at in 0..sums.len() {
        let mut sum = sums[at];
        for index in 0..N {
            sum += i32::from(rows[index][at]) * weights[index];
        }
        sums[at] = sum;
    }
}

/// `length` values from `column` on of `N` rows from `first` on.
#[inline(always)]
fn rows<'a, const N: usize>(source: &Source<'a, u8>, first: usize, column: usize, length: usize) -> [&'a [u8]; N] {
    let mut rows: [&[u8]; N] = [&[]; N];
    for (index, row) in rows.iter_mut().enumerate() {
        *row = &source.row(first + index)[column..][..length];
    }
    rows
}
