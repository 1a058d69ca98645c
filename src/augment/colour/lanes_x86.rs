//! Lanes of AVX2 and of AVX-512. The functions without a comment of their own hold one or two instructions on registers, which
//! are safe wherever the processor has them; that it has is what the caller of every function of [`Lanes`] says.

#![allow(unsafe_code)]

use std::arch::x86_64::*;

use super::lanes::{LaneKernel, Lanes};

#[target_feature(enable = "avx2,fma")]
pub(super) unsafe fn at_avx2<K: LaneKernel>(kernel: K) -> K::Output {
    // SAFETY: the caller says that the processor has AVX2 and FMA.
    unsafe { kernel.run::<Avx2>() }
}

#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
pub(super) unsafe fn at_avx512<K: LaneKernel>(kernel: K) -> K::Output {
    // SAFETY: the caller says that the processor has these features.
    unsafe { kernel.run::<Avx512>() }
}

/// Where the bytes of each colour of 4 pixels lie in 16 bytes, spread to 32 bits each; -1 makes zero.
const fn spread(channel: i8) -> [i8; 16] {
    let mut at = [-1; 16];
    let mut pixel = 0;
    while pixel < 4 {
        at[4 * pixel] = 3 * pixel as i8 + channel;
        pixel += 1;
    }
    at
}

/// Back: 4 reds, 4 greens, 4 blues become 4 pixels in 12 bytes.
const JOIN: [i8; 16] = [0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11, -1, -1, -1, -1];
const SPREAD: [[i8; 16]; 3] = [spread(0), spread(1), spread(2)];

/// 8 pixels.
#[derive(Clone, Copy)]
pub(super) struct Avx2(__m256);

// SAFETY: AVX2, FMA and below only; `load` reads 32 bytes, `store` writes 16 and 8.
unsafe impl Lanes for Avx2 {
    const COUNT: usize = 8;
    const READ: usize = 32;

    #[inline(always)]
    unsafe fn load(from: *const u8) -> [Self; 3] {
        // SAFETY: the caller says that 32 bytes can be read; the constants are 16 bytes.
        unsafe {
            // The first 12 bytes to the lower half, the next 12 to the upper one: 4 pixels each.
            let bytes = _mm256_loadu_si256(from.cast());
            let halves = _mm256_permutevar8x32_epi32(bytes, _mm256_setr_epi32(0, 1, 2, 2, 3, 4, 5, 5));
            let mut rgb = [Avx2(_mm256_setzero_ps()); 3];
            for (colour, at) in rgb.iter_mut().zip(&SPREAD) {
                let at = _mm256_broadcastsi128_si256(_mm_loadu_si128(at.as_ptr().cast()));
                *colour = Avx2(_mm256_cvtepi32_ps(_mm256_shuffle_epi8(halves, at)));
            }
            rgb
        }
    }

    #[inline(always)]
    unsafe fn store(rgb: [Self; 3], to: *mut u8) {
        // SAFETY: the caller says that 24 bytes can be written: 16, then 8.
        unsafe {
            let r = _mm256_cvttps_epi32(rgb[0].0);
            let g = _mm256_cvttps_epi32(rgb[1].0);
            let b = _mm256_cvttps_epi32(rgb[2].0);
            // Packing with signed saturation twice clamps to 0 to 255.
            let bytes = _mm256_packus_epi16(_mm256_packs_epi32(r, g), _mm256_packs_epi32(b, b));
            let join = _mm256_broadcastsi128_si256(_mm_loadu_si128(JOIN.as_ptr().cast()));
            let halves = _mm256_shuffle_epi8(bytes, join);
            let bytes = _mm256_permutevar8x32_epi32(halves, _mm256_setr_epi32(0, 1, 2, 4, 5, 6, 7, 7));
            _mm_storeu_si128(to.cast(), _mm256_castsi256_si128(bytes));
            _mm_storel_epi64(to.add(16).cast(), _mm256_extracti128_si256::<1>(bytes));
        }
    }

    #[inline(always)]
    unsafe fn splat(x: f32) -> Self {
        unsafe { Avx2(_mm256_set1_ps(x)) }
    }

    #[inline(always)]
    unsafe fn plus(self, other: Self) -> Self {
        unsafe { Avx2(_mm256_add_ps(self.0, other.0)) }
    }

    #[inline(always)]
    unsafe fn times(self, other: Self) -> Self {
        unsafe { Avx2(_mm256_mul_ps(self.0, other.0)) }
    }

    #[inline(always)]
    unsafe fn whole(self) -> Self {
        // The maximum comes first with the value as its first operand: of a NaN it makes the second, zero.
        unsafe { Avx2(_mm256_max_ps(self.0, _mm256_setzero_ps())).whole_of_positive() }
    }

    #[inline(always)]
    unsafe fn whole_of_positive(self) -> Self {
        unsafe { Avx2(_mm256_min_ps(self.0, _mm256_set1_ps(255.0))).cut() }
    }

    #[inline(always)]
    unsafe fn plus_whole_product(self, a: Self, b: Self) -> Self {
        unsafe { Avx2(_mm256_fmadd_ps(a.0, b.0, self.0)) }
    }

    #[inline(always)]
    unsafe fn cut(self) -> Self {
        unsafe { Avx2(_mm256_round_ps::<{ _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC }>(self.0)) }
    }

    #[inline(always)]
    unsafe fn total(self) -> u64 {
        let mut lanes = [0.0; 8];
        // SAFETY: 8 floats of room.
        unsafe { _mm256_storeu_ps(lanes.as_mut_ptr(), self.0) };
        lanes.iter().map(|x| *x as u64).sum()
    }
}

/// 16 pixels.
#[derive(Clone, Copy)]
pub(super) struct Avx512(__m512);

// SAFETY: AVX-512 F and BW only; `load` reads 64 bytes, `store` writes 32 and 16 (masked stores are slow on some processors).
unsafe impl Lanes for Avx512 {
    const COUNT: usize = 16;
    const READ: usize = 64;

    #[inline(always)]
    unsafe fn load(from: *const u8) -> [Self; 3] {
        // SAFETY: the caller says that 64 bytes can be read; the constants are 16 bytes.
        unsafe {
            let bytes = _mm512_loadu_si512(from.cast());
            let quarters = _mm512_setr_epi32(0, 1, 2, 2, 3, 4, 5, 5, 6, 7, 8, 8, 9, 10, 11, 11);
            let bytes = _mm512_permutexvar_epi32(quarters, bytes);
            let mut rgb = [Avx512(_mm512_setzero_ps()); 3];
            for (colour, at) in rgb.iter_mut().zip(&SPREAD) {
                let at = _mm512_broadcast_i32x4(_mm_loadu_si128(at.as_ptr().cast()));
                *colour = Avx512(_mm512_cvtepi32_ps(_mm512_shuffle_epi8(bytes, at)));
            }
            rgb
        }
    }

    #[inline(always)]
    unsafe fn store(rgb: [Self; 3], to: *mut u8) {
        // SAFETY: the caller says that 48 bytes can be written: 32, then 16.
        unsafe {
            let r = _mm512_cvttps_epi32(rgb[0].0);
            let g = _mm512_cvttps_epi32(rgb[1].0);
            let b = _mm512_cvttps_epi32(rgb[2].0);
            let bytes = _mm512_packus_epi16(_mm512_packs_epi32(r, g), _mm512_packs_epi32(b, b));
            let join = _mm512_broadcast_i32x4(_mm_loadu_si128(JOIN.as_ptr().cast()));
            let bytes = _mm512_shuffle_epi8(bytes, join);
            let together = _mm512_setr_epi32(0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, 15, 15, 15, 15);
            let bytes = _mm512_permutexvar_epi32(together, bytes);
            _mm256_storeu_si256(to.cast(), _mm512_castsi512_si256(bytes));
            _mm_storeu_si128(to.add(32).cast(), _mm512_extracti32x4_epi32::<2>(bytes));
        }
    }

    #[inline(always)]
    unsafe fn splat(x: f32) -> Self {
        unsafe { Avx512(_mm512_set1_ps(x)) }
    }

    #[inline(always)]
    unsafe fn plus(self, other: Self) -> Self {
        unsafe { Avx512(_mm512_add_ps(self.0, other.0)) }
    }

    #[inline(always)]
    unsafe fn times(self, other: Self) -> Self {
        unsafe { Avx512(_mm512_mul_ps(self.0, other.0)) }
    }

    #[inline(always)]
    unsafe fn whole(self) -> Self {
        unsafe { Avx512(_mm512_max_ps(self.0, _mm512_setzero_ps())).whole_of_positive() }
    }

    #[inline(always)]
    unsafe fn whole_of_positive(self) -> Self {
        unsafe { Avx512(_mm512_min_ps(self.0, _mm512_set1_ps(255.0))).cut() }
    }

    #[inline(always)]
    unsafe fn plus_whole_product(self, a: Self, b: Self) -> Self {
        unsafe { Avx512(_mm512_fmadd_ps(a.0, b.0, self.0)) }
    }

    #[inline(always)]
    unsafe fn cut(self) -> Self {
        unsafe { Avx512(_mm512_roundscale_ps::<{ _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC }>(self.0)) }
    }

    #[inline(always)]
    unsafe fn total(self) -> u64 {
        let mut lanes = [0.0; 16];
        // SAFETY: 16 floats of room.
        unsafe { _mm512_storeu_ps(lanes.as_mut_ptr(), self.0) };
        lanes.iter().map(|x| *x as u64).sum()
    }
}
