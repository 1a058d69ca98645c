#![allow(unsafe_code)]

use super::axis::{Neighbours, Taps};
use super::four::Four;

/// How the columns of an RGB row of floats are mixed: portably, or with the vectors of one kind of processor. All give the same bits.
pub(super) trait Columns {
    /// Makes as many pixels as `columns` has, each between two of `mixed`, which has a value more than its pixels have.
    ///
    /// # Safety
    /// The processor must have the vectors.
    unsafe fn blend(columns: &Neighbours, mixed: &[f32], line: &mut [f32]);
}

/// Floats beyond the end of a row, so that its last pixel can be read as four values, and its last two as eight.
pub(super) const SPARE: usize = 2;

/// In plain Rust, with vectors of four.
pub(super) struct Plain;

impl Columns for Plain {
    #[inline(always)]
    unsafe fn blend(columns: &Neighbours, mixed: &[f32], line: &mut [f32]) {
        blend_from(0, columns, mixed, line);
    }
}

/// The pixels from `first` on.
#[inline(always)]
fn blend_from(first: usize, columns: &Neighbours, mixed: &[f32], line: &mut [f32]) {
    for (x, pair) in columns.pairs().iter().enumerate().skip(first) {
        let (a, b) = (four(mixed, pair.lower as usize), four(mixed, pair.upper as usize));
        put(line, x, a + (b - a) * Four::splat(pair.fraction));
    }
}

/// Makes as many pixels as `columns` has, each the sum of some of `mixed` times their weights.
#[inline(always)]
pub(super) fn sum(columns: &Taps, mixed: &[f32], line: &mut [f32]) {
    match columns.length() {
        1 => sum_of::<1>(columns, mixed, line),
        2 => sum_of::<2>(columns, mixed, line),
        3 => sum_of::<3>(columns, mixed, line),
        4 => sum_of::<4>(columns, mixed, line),
        5 => sum_of::<5>(columns, mixed, line),
        6 => sum_of::<6>(columns, mixed, line),
        7 => sum_of::<7>(columns, mixed, line),
        8 => sum_of::<8>(columns, mixed, line),
        _ => {
            for x in 0..line.len() / 3 {
                let (first, weights) = columns.run(x);
                put(line, x, weighted(mixed, first, weights));
            }
        }
    }
}

#[inline(always)]
fn sum_of<const N: usize>(columns: &Taps, mixed: &[f32], line: &mut [f32]) {
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

#[cfg(target_arch = "x86_64")]
pub(super) use x86::{Avx2, Avx512};

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::*;

    use super::super::axis::{FourPairs, Neighbours};
    use super::{Columns, SPARE, blend_from};

    /// With AVX2: two pixels at once.
    pub(in super::super) struct Avx2;

    impl Columns for Avx2 {
        #[inline(always)]
        unsafe fn blend(columns: &Neighbours, mixed: &[f32], line: &mut [f32]) {
            assert!(mixed.len() >= columns.from() * 3 + SPARE, "{} values of {} pixels", mixed.len(), columns.from());
            let (pairs, mut done) = (columns.pairs().as_chunks::<2>().0, 0);
            for [p, q] in pairs {
                // A value more is written than the second pixel has.
                let Some(to) = line.get_mut(done * 3..done * 3 + 7) else { break };
                // SAFETY: the caller says that the processor has AVX2. Neighbours lie within the row, behind which there is a value more;
                // seven values are written to as many.
                unsafe {
                    let pixels =
                        |a: u32, b: u32| (mixed.as_ptr().add(a as usize * 3), mixed.as_ptr().add(b as usize * 3));
                    let (a, b) = (pixels(p.lower, q.lower), pixels(p.upper, q.upper));
                    let (a, b) = (_mm256_loadu2_m128(a.1, a.0), _mm256_loadu2_m128(b.1, b.0));
                    let fraction = _mm256_set_m128(_mm_set1_ps(q.fraction), _mm_set1_ps(p.fraction));
                    let made = _mm256_add_ps(a, _mm256_mul_ps(_mm256_sub_ps(b, a), fraction));
                    _mm_storeu_ps(to.as_mut_ptr(), _mm256_castps256_ps128(made));
                    _mm_storeu_ps(to.as_mut_ptr().add(3), _mm256_extractf128_ps::<1>(made));
                }
                done += 2;
            }
            blend_from(done, columns, mixed, line);
        }
    }

    /// With AVX-512: four pixels at once.
    pub(in super::super) struct Avx512;

    impl Columns for Avx512 {
        #[inline(always)]
        unsafe fn blend(columns: &Neighbours, mixed: &[f32], line: &mut [f32]) {
            assert!(mixed.len() >= columns.from() * 3 + SPARE, "{} values of {} pixels", mixed.len(), columns.from());
            let (fours, lines) = (columns.pairs().as_chunks::<4>().0, line.as_chunks_mut::<12>().0);
            // SAFETY: the caller says that the processor has AVX-512. Neighbours lie within the row, behind which there are two values more;
            // twelve values are written to as many.
            unsafe {
                let first = _mm512_setr_epi32(0, 1, 2, 8, 9, 10, 16, 17, 18, 24, 25, 26, 0, 0, 0, 0);
                let second = _mm512_add_epi32(first, _mm512_set1_epi32(3));
                let three = _mm512_setr_epi32(0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, 15, 15, 15, 15);
                for ((four, together), to) in fours.iter().zip(columns.fours()).zip(lines) {
                    let (a, b) = if together.lower == FourPairs::APART {
                        let [p, q, r, s] = four;
                        let a = four_pixels(mixed, [p.lower, q.lower, r.lower, s.lower]);
                        let b = four_pixels(mixed, [p.upper, q.upper, r.upper, s.upper]);
                        (_mm512_permutexvar_ps(three, a), _mm512_permutexvar_ps(three, b))
                    } else {
                        let [p, q, r, s] = together.lower;
                        let (pq, rs) = (two_pairs(mixed, p, q), two_pairs(mixed, r, s));
                        (_mm512_permutex2var_ps(pq, first, rs), _mm512_permutex2var_ps(pq, second, rs))
                    };
                    // Not the whole line: places, taken for floats, are denormal, which multiplying takes its time for.
                    let fraction = _mm512_maskz_load_ps(0xfff, std::ptr::from_ref(together).cast());
                    let made = _mm512_add_ps(a, _mm512_mul_ps(_mm512_sub_ps(b, a), fraction));
                    _mm512_mask_storeu_ps(to.as_mut_ptr(), 0xfff, made);
                }
            }
            blend_from(fours.len() * 4, columns, mixed, line);
        }
    }

    /// Eight values from each of two pixels on: those of the pixel, of the next one, and two more.
    #[inline(always)]
    unsafe fn two_pairs(mixed: &[f32], p: u32, q: u32) -> __m512 {
        // SAFETY: the caller says that the pixels and the next ones lie within the row.
        unsafe {
            let first = _mm512_castps256_ps512(_mm256_loadu_ps(mixed.as_ptr().add(p as usize * 3)));
            _mm512_insertf32x8::<1>(first, _mm256_loadu_ps(mixed.as_ptr().add(q as usize * 3)))
        }
    }

    /// Four values of each of four pixels.
    #[inline(always)]
    unsafe fn four_pixels(mixed: &[f32], [p, q, r, s]: [u32; 4]) -> __m512 {
        // SAFETY: the caller says that the pixels lie within the row.
        unsafe {
            let first = _mm_loadu_ps(mixed.as_ptr().add(p as usize * 3));
            let all = _mm512_castps128_ps512(first);
            let all = _mm512_insertf32x4::<1>(all, _mm_loadu_ps(mixed.as_ptr().add(q as usize * 3)));
            let all = _mm512_insertf32x4::<2>(all, _mm_loadu_ps(mixed.as_ptr().add(r as usize * 3)));
            _mm512_insertf32x4::<3>(all, _mm_loadu_ps(mixed.as_ptr().add(s as usize * 3)))
        }
    }
}
