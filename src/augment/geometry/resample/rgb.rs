use std::arch::x86_64::*;

use super::fixed::{BITS, Fixed, HALF};
use super::source::Source;

/// [`four_rows`] or [`four_rows_wide`], for some steps.
type FourRows = unsafe fn([&[u8]; 4], &Fixed, [usize; 4], usize, &mut [u8]);

/// The instance of a function for the steps of a table.
macro_rules! for_steps {
    ($make:ident, $table:expr) => {
        match ($table.step(), $table.steps()) {
            (2, _) => $make::<2, false> as FourRows,
            (3, 1) => $make::<3, false>,
            (3, _) => $make::<3, true>,
            (4, 1) => $make::<4, false>,
            (4, _) => $make::<4, true>,
            (_, 1) => $make::<5, false>,
            _ => $make::<5, true>,
        }
    };
}

/// Mixes the columns of an RGB image by the instructions of AVX2, since compilers do not find out how: four rows at a time, so
/// that a weight is fetched once for all, and four pixels of each, so that they are stored at once. A vector holds a pixel of two
/// rows, with a fourth lane each that nobody looks at; a `wide` one of AVX-512 a pixel of all four rows.
#[target_feature(enable = "avx2")]
pub(super) fn mix_columns(wide: bool, source: &Source<'_, u8>, table: &Fixed, out: &mut [u8]) {
    let (width, height) = (source.size().width as usize * 3, source.size().height as usize);
    let stride = out.len() / height;
    let mut copies = vec![0; 4 * (width + BEYOND)];
    let make = if wide { for_steps!(four_rows_wide, table) } else { for_steps!(four_rows, table) };
    for first in (0..height).step_by(4) {
        // Of the last four some may be the same row, which is then made more than once.
        let places = [0, 1, 2, 3].map(|index| (first + index).min(height - 1));
        let mut rows: [&[u8]; 4] = [&[]; 4];
        for ((row, y), copy) in rows.iter_mut().zip(places).zip(copies.chunks_exact_mut(width + BEYOND)) {
            *row = source.row_with(y, BEYOND).unwrap_or_else(|| {
                copy[..width].copy_from_slice(source.row(y));
                copy
            });
        }
        let starts = places.map(|y| y * stride);
        // SAFETY: the caller says that the processor has the instructions.
        #[allow(unsafe_code)]
        unsafe {
            make(rows, table, starts, stride, out);
        }
    }
}

/// Bytes read beyond the end of a row: its last pixel may be the first of the sixteen bytes that are loaded at once.
const BEYOND: usize = 13;

/// Makes four rows, which begin at `starts` of `out` and have `stride` values, in steps of `TAPS` weights, the table's: at most
/// five, which are fifteen bytes. Without `MANY` there is one step only.
#[target_feature(enable = "avx2")]
fn four_rows<const TAPS: usize, const MANY: bool>(
    rows: [&[u8]; 4],
    table: &Fixed,
    starts: [usize; 4],
    stride: usize,
    out: &mut [u8],
) {
    let readable = readable::<TAPS, MANY>(&rows, table, starts, stride, out);
    // The bytes of each pixel of sixteen bytes as whole numbers of 32 bits.
    let mut spread = [_mm256_setzero_si256(); TAPS];
    for (tap, spread) in spread.iter_mut().enumerate() {
        let byte = |channel: usize| (3 * tap + channel) as i32 | NONE << 8;
        *spread = _mm256_broadcastsi128_si256(_mm_setr_epi32(byte(0), byte(1), byte(2), NONE | NONE << 8));
    }
    // Four pixels of four bytes as four of three.
    let dense = _mm256_broadcastsi128_si256(_mm_setr_epi8(0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, -1, -1, -1, -1));
    for (four, (firsts, weights)) in table.fours().enumerate() {
        let mut upper = [_mm256_set1_epi32(HALF); 4];
        let mut lower = [_mm256_set1_epi32(HALF); 4];
        let weights = weights.as_chunks::<TAPS>().0;
        let steps = if MANY { table.steps() } else { 1 };
        for pixel in 0..4 {
            for step in 0..steps {
                let at = firsts[pixel] as usize * 3 + step * TAPS * 3;
                debug_assert!(at + 16 <= readable, "{at}");
                // SAFETY: a run begins `length` pixels before the end or earlier, and a step within the run's length: with at
                // least one pixel left, so that sixteen bytes end at most `BEYOND` bytes after the row's last.
                #[allow(unsafe_code)]
                let (ab, cd) = unsafe { pixels_from(&rows, at) };
                let weights = &weights[pixel * steps + step];
                for tap in 0..TAPS {
                    let weight = _mm256_set1_epi32(weights[tap]);
                    let (x, y) = (_mm256_shuffle_epi8(ab, spread[tap]), _mm256_shuffle_epi8(cd, spread[tap]));
                    upper[pixel] = _mm256_add_epi32(upper[pixel], _mm256_mullo_epi32(x, weight));
                    lower[pixel] = _mm256_add_epi32(lower[pixel], _mm256_mullo_epi32(y, weight));
                }
            }
        }
        for (pair, sums) in [upper, lower].into_iter().enumerate() {
            let [a, b, c, d] = sums;
            let ab =
                _mm256_packs_epi32(_mm256_srai_epi32::<{ BITS as i32 }>(a), _mm256_srai_epi32::<{ BITS as i32 }>(b));
            let cd =
                _mm256_packs_epi32(_mm256_srai_epi32::<{ BITS as i32 }>(c), _mm256_srai_epi32::<{ BITS as i32 }>(d));
            // What is below 0 or above 255 is cut off.
            let pixels = _mm256_shuffle_epi8(_mm256_packus_epi16(ab, cd), dense);
            let pixels = [_mm256_castsi256_si128(pixels), _mm256_extracti128_si256::<1>(pixels)];
            put_four(pixels, &starts[2 * pair..], four * 12, stride, out);
        }
    }
}

/// How many bytes of each row can be read, once all is as both ways expect it.
fn readable<const TAPS: usize, const MANY: bool>(
    rows: &[&[u8]; 4],
    table: &Fixed,
    starts: [usize; 4],
    stride: usize,
    out: &[u8],
) -> usize {
    let readable = table.from() * 3 + BEYOND;
    assert!(rows.iter().all(|row| row.len() >= readable), "rows as wide as the table expects");
    assert!(starts.iter().all(|start| start + stride <= out.len()), "room for each row");
    assert!(table.step() == TAPS && (MANY || table.steps() == 1), "the table's steps");
    readable
}

/// Sixteen bytes of each row from byte `at` on: of the first two, and of the last two.
///
/// # Safety
/// The rows must have them.
#[target_feature(enable = "avx2")]
#[inline]
#[allow(unsafe_code)]
unsafe fn pixels_from(rows: &[&[u8]; 4], at: usize) -> (__m256i, __m256i) {
    // SAFETY: the caller says so.
    let [a, b, c, d] = rows.map(|row| unsafe { _mm_loadu_si128(row.as_ptr().add(at).cast()) });
    (_mm256_set_m128i(b, a), _mm256_set_m128i(d, c))
}

/// As [`four_rows`], with vectors of 512 bits.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
fn four_rows_wide<const TAPS: usize, const MANY: bool>(
    rows: [&[u8]; 4],
    table: &Fixed,
    starts: [usize; 4],
    stride: usize,
    out: &mut [u8],
) {
    let readable = readable::<TAPS, MANY>(&rows, table, starts, stride, out);
    let mut spread = [_mm512_setzero_si512(); TAPS];
    for (tap, spread) in spread.iter_mut().enumerate() {
        let byte = |channel: usize| (3 * tap + channel) as i32 | NONE << 8;
        *spread = _mm512_broadcast_i32x4(_mm_setr_epi32(byte(0), byte(1), byte(2), NONE | NONE << 8));
    }
    let dense = _mm512_broadcast_i32x4(_mm_setr_epi8(0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, -1, -1, -1, -1));
    for (four, (firsts, weights)) in table.fours().enumerate() {
        let mut sums = [_mm512_set1_epi32(HALF); 4];
        let weights = weights.as_chunks::<TAPS>().0;
        let steps = if MANY { table.steps() } else { 1 };
        for pixel in 0..4 {
            for step in 0..steps {
                let at = firsts[pixel] as usize * 3 + step * TAPS * 3;
                debug_assert!(at + 16 <= readable, "{at}");
                // SAFETY: as in `four_rows`.
                #[allow(unsafe_code)]
                let (ab, cd) = unsafe { pixels_from(&rows, at) };
                let pixels = _mm512_inserti64x4::<1>(_mm512_castsi256_si512(ab), cd);
                let weights = &weights[pixel * steps + step];
                for tap in 0..TAPS {
                    let x = _mm512_shuffle_epi8(pixels, spread[tap]);
                    sums[pixel] = _mm512_add_epi32(sums[pixel], _mm512_mullo_epi32(x, _mm512_set1_epi32(weights[tap])));
                }
            }
        }
        let [a, b, c, d] = sums.map(|sum| _mm512_srai_epi32::<BITS>(sum));
        // What is below 0 or above 255 is cut off.
        let packed = _mm512_packus_epi16(_mm512_packs_epi32(a, b), _mm512_packs_epi32(c, d));
        let pixels = _mm512_shuffle_epi8(packed, dense);
        let pixels = [
            _mm512_extracti32x4_epi32::<0>(pixels),
            _mm512_extracti32x4_epi32::<1>(pixels),
            _mm512_extracti32x4_epi32::<2>(pixels),
            _mm512_extracti32x4_epi32::<3>(pixels),
        ];
        put_four(pixels, &starts, four * 12, stride, out);
    }
}

/// Writes four pixels of rows that begin at `starts`, from value `at` on.
#[inline(always)]
fn put_four<const ROWS: usize>(pixels: [__m128i; ROWS], starts: &[usize], at: usize, stride: usize, out: &mut [u8]) {
    for (pixels, start) in pixels.into_iter().zip(starts) {
        if at + 16 <= stride {
            let place: &mut [u8; 16] = out[start + at..].first_chunk_mut().expect("room for each row");
            // The four values too many are overwritten by the next pixels.
            *place = bytemuck::cast(pixels);
        } else {
            let pixels: [u8; 16] = bytemuck::cast(pixels);
            let length = (stride - at).min(12);
            out[start + at..][..length].copy_from_slice(&pixels[..length]);
        }
    }
}

/// Three bytes of 0, to a shuffle.
const NONE: i32 = 0x0080_8080;
