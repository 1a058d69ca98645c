use std::arch::x86_64::*;

use super::fixed::{BITS, Fixed, HALF};
use super::source::Source;

/// Mixes the columns of an RGB image by the instructions of AVX2, since compilers do not find out how: four rows at a time, so
/// that a weight is fetched once for all, and four pixels of each, so that they are stored at once. A vector holds a pixel of two
/// rows, with a fourth lane each that nobody looks at.
#[target_feature(enable = "avx2")]
pub(super) fn mix_columns(source: &Source<'_, u8>, table: &Fixed, out: &mut [u8]) {
    let (width, height) = (source.size().width as usize * 3, source.size().height as usize);
    let stride = out.len() / height;
    let mut copies = vec![0; 4 * (width + BEYOND)];
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
        match table.step() {
            2 => four_rows::<2>(rows, table, starts, stride, out),
            3 => four_rows::<3>(rows, table, starts, stride, out),
            4 => four_rows::<4>(rows, table, starts, stride, out),
            _ => four_rows::<5>(rows, table, starts, stride, out),
        }
    }
}

/// Bytes read beyond the end of a row: its last pixel may be the first of the sixteen bytes that are loaded at once.
const BEYOND: usize = 13;

/// Makes four rows, which begin at `starts` of `out` and have `stride` values, in steps of `TAPS` weights, the table's: at most
/// five, which are fifteen bytes.
#[target_feature(enable = "avx2")]
fn four_rows<const TAPS: usize>(rows: [&[u8]; 4], table: &Fixed, starts: [usize; 4], stride: usize, out: &mut [u8]) {
    let readable = table.from() * 3 + BEYOND;
    assert!(table.step() == TAPS && rows.iter().all(|row| row.len() >= readable), "rows as wide as the table expects");
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
        let steps = weights.len() / (4 * TAPS);
        for pixel in 0..4 {
            for step in 0..steps {
                let at = firsts[pixel] as usize * 3 + step * TAPS * 3;
                debug_assert!(at + 16 <= readable, "{at}");
                // SAFETY: a run begins `length` pixels before the end or earlier, and a step within the run's length: with at
                // least one pixel left, so that sixteen bytes end at most `BEYOND` bytes after the row's last.
                #[allow(unsafe_code)]
                let [a, b, c, d] = unsafe {
                    [
                        _mm_loadu_si128(rows[0].as_ptr().add(at).cast()),
                        _mm_loadu_si128(rows[1].as_ptr().add(at).cast()),
                        _mm_loadu_si128(rows[2].as_ptr().add(at).cast()),
                        _mm_loadu_si128(rows[3].as_ptr().add(at).cast()),
                    ]
                };
                let (ab, cd) = (_mm256_set_m128i(b, a), _mm256_set_m128i(d, c));
                for tap in 0..TAPS {
                    let weight = _mm256_set1_epi32(weights[(pixel * steps + step) * TAPS + tap]);
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
            let pixels: [[u8; 16]; 2] = bytemuck::cast(_mm256_shuffle_epi8(_mm256_packus_epi16(ab, cd), dense));
            for (row, pixels) in pixels.iter().enumerate() {
                let out = &mut out[starts[2 * pair + row]..][..stride];
                let out = &mut out[four * 12..];
                match out.first_chunk_mut::<16>() {
                    // The four values too many are overwritten by the next pixels.
                    Some(out) => *out = *pixels,
                    None => {
                        let length = out.len().min(12);
                        out[..length].copy_from_slice(&pixels[..length]);
                    }
                }
            }
        }
    }
}

/// Three bytes of 0, to a shuffle.
const NONE: i32 = 0x0080_8080;
