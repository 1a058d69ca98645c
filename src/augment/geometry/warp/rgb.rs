use std::arch::x86_64::*;

use super::cubic::Weights;
use super::place::Places;
use super::source::{Source, Value};

/// Images of fewer pixels have places of their bytes that are numbers of 32 bits.
pub(super) const MOST_PIXELS: usize = i32::MAX as usize / 3;

/// The squares of two by two pixels that a row is mixed of.
struct Squares {
    /// Where each begins in the bytes of the image, or -1 if it is not inside, or so near to the end that more would be read.
    at: Vec<i32>,
    /// Weights of the left and the right pixels, 16 bits each.
    across: Vec<i32>,
    /// Weights of the upper and the lower pixels, 8 bits each, twice.
    down: Vec<i32>,
}

impl Squares {
    #[inline(always)]
    fn set(&mut self, (x, y): (&[i32], &[i32]), stride: i32, (right, lower): (u32, u32), last: i32) {
        let weights = self.across.iter_mut().zip(&mut self.down);
        for ((at, (across, down)), (x, y)) in self.at.iter_mut().zip(weights).zip(x.iter().zip(y)) {
            let (left, upper, a, b) = (x >> 5, y >> 5, x & 31, y & 31);
            // Wraps only where it is not inside.
            let place = upper.wrapping_mul(stride).wrapping_add(left.wrapping_mul(3));
            let inside = ((left as u32) < right) & ((upper as u32) < lower) & (place <= last);
            *at = if inside { place } else { -1 };
            *across = (32 - a) | a << 16;
            *down = ((32 - b) * 0x0001_0001) | (b * 0x0100_0100);
        }
    }
}

/// Mixes two by two pixels of RGB by the instructions of AVX2, since compilers do not find out how: both neighbours of a row are
/// in eight bytes, and a vector of sixteen holds those of both rows. Equal to the plain loop to the bit.
#[target_feature(enable = "avx2")]
pub(super) fn bilinear(source: &Source<'_, u8, 3>, places: &mut Places<'_>, out: &mut [[u8; 3]]) {
    let bytes = source.pixels.as_flattened();
    let stride = source.size.width as usize * 3;
    let inner = (source.size.width.saturating_sub(1), source.size.height.saturating_sub(1));
    // The last place from which eight bytes of the row below can be read.
    let last = (bytes.len() as i64 - 8 - stride as i64).max(-1) as i32;
    // Of eight numbers (R, G, B, R, G, B and two that do not count) the pairs of each channel.
    let pairs = _mm_setr_epi8(0, 1, 6, 7, 2, 3, 8, 9, 4, 5, 10, 11, -1, -1, -1, -1);
    let dense = _mm_setr_epi8(0, 4, 8, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1);
    let half = _mm_set1_epi32(512);
    let width = places.width();
    let out = out.as_flattened_mut();
    let mut squares = Squares { at: vec![0; width], across: vec![0; width], down: vec![0; width] };
    let mut to = 0;
    for row in 0..out.len() / (width * 3).max(1) {
        let (x, y) = places.row(row);
        squares.set((x, y), stride as i32, inner, last);
        let weights = squares.across.iter().zip(&squares.down);
        for ((at, (across, down)), (x, y)) in squares.at.iter().zip(weights).zip(x.iter().zip(y)) {
            if *at >= 0 {
                debug_assert!(*at as usize + stride + 8 <= bytes.len(), "{at}");
                // SAFETY: `at` is not negative, and not beyond `last`, so that eight bytes from there, and from the same place a
                // row below, are inside of `bytes`.
                #[allow(unsafe_code)]
                let (above, below) = unsafe {
                    let above = bytes.as_ptr().add(*at as usize);
                    (_mm_loadl_epi64(above.cast()), _mm_loadl_epi64(above.add(stride).cast()))
                };
                // Bytes of both rows in turn, times their weights: up to 13 bits.
                let columns = _mm_maddubs_epi16(_mm_unpacklo_epi8(above, below), _mm_set1_epi32(*down));
                // The same along the row: up to 18 bits.
                let sums = _mm_madd_epi16(_mm_shuffle_epi8(columns, pairs), _mm_set1_epi32(*across));
                let sums = _mm_srli_epi32::<10>(_mm_add_epi32(sums, half));
                let pixel = _mm_cvtsi128_si32(_mm_shuffle_epi8(sums, dense)).to_le_bytes();
                // One byte too many, which is the next pixel's; only the last one has none.
                match out[to..].first_chunk_mut::<4>() {
                    Some(four) => *four = pixel,
                    None => out[to..].copy_from_slice(&pixel[..3]),
                }
            } else {
                out[to..to + 3].copy_from_slice(&u8::bilinear(&source.square(x >> 5, y >> 5), x & 31, y & 31));
            }
            to += 3;
        }
    }
}

/// The same for four by four pixels: two neighbours of a channel are one number of 32 bits, times two weights at once, the left
/// two pixels of a row in one half of a vector and the right two in the other.
#[target_feature(enable = "avx2")]
pub(super) fn bicubic(source: &Source<'_, u8, 3>, places: &mut Places<'_>, out: &mut [[u8; 3]]) {
    let bytes = source.pixels.as_flattened();
    let stride = source.size.width as usize * 3;
    let (right, lower) = (source.size.width.saturating_sub(3), source.size.height.saturating_sub(3));
    // The last place from which sixteen bytes of the third row below can be read.
    let last = bytes.len() as i64 - 16 - 3 * stride as i64;
    let pairs = _mm_setr_epi8(0, 3, 1, 4, 2, 5, -1, -1, 6, 9, 7, 10, 8, 11, -1, -1);
    let halves = _mm256_setr_epi32(0, 0, 0, 0, 1, 1, 1, 1);
    let weights = Weights::shared();
    let width = places.width();
    for (row, out) in out.chunks_exact_mut(width).enumerate() {
        let (x, y) = places.row(row);
        for (out, (x, y)) in out.iter_mut().zip(x.iter().zip(y)) {
            let (left, upper, place) = ((x >> 5) - 1, (y >> 5) - 1, ((y & 31) * 32 + (x & 31)) as usize);
            let at = i64::from(upper) * stride as i64 + i64::from(left) * 3;
            if (left as u32) < right && (upper as u32) < lower && at <= last {
                let mut sums = _mm256_setzero_si256();
                for (row, row_weights) in weights.whole[place].as_chunks::<4>().0.iter().enumerate() {
                    debug_assert!(at >= 0 && at as usize + row * stride + 16 <= bytes.len(), "{at}");
                    // SAFETY: column and row are inside of the image, so `at` is not negative; and it is not beyond `last`, so
                    // that sixteen bytes from there, and from the same place in the three rows below, are inside of `bytes`.
                    #[allow(unsafe_code)]
                    let pixels = unsafe { _mm_loadu_si128(bytes.as_ptr().add(at as usize + row * stride).cast()) };
                    let pixels = _mm256_cvtepu8_epi16(_mm_shuffle_epi8(pixels, pairs));
                    let [a, b, c, d] = row_weights.map(|weight| i64::from(weight as u16));
                    let two = _mm256_castsi128_si256(_mm_cvtsi64_si128(a | b << 16 | c << 32 | d << 48));
                    let products = _mm256_madd_epi16(pixels, _mm256_permutevar8x32_epi32(two, halves));
                    sums = _mm256_add_epi32(sums, products);
                }
                let sums = _mm_add_epi32(_mm256_castsi256_si128(sums), _mm256_extracti128_si256::<1>(sums));
                let sums = _mm_srai_epi32::<15>(_mm_add_epi32(sums, _mm_set1_epi32(1 << 14)));
                // Cut off at 0 and 255.
                let bytes = _mm_packus_epi16(_mm_packs_epi32(sums, sums), sums);
                let [red, green, blue, _] = _mm_cvtsi128_si32(bytes).to_le_bytes();
                *out = [red, green, blue];
            } else {
                *out = u8::bicubic(&source.square(left, upper), weights, place);
            }
        }
    }
}
