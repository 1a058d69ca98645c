//! The inverse transform of blocks: the accurate integer one of libjpeg (`jidctint.c`), to the bit.

#![allow(unsafe_code)]

/// Bits behind the point of the constants, and those that the first pass keeps.
pub(super) const CONSTANT_BITS: i32 = 13;
pub(super) const KEPT_BITS: i32 = 2;

/// What is left to shift at the end; the half that rounds, and the middle of the pixels, 128.
const LAST_SHIFT: i32 = CONSTANT_BITS + KEPT_BITS + 3;
const HALF_AND_MIDDLE: i32 = (128 << LAST_SHIFT) + (1 << (LAST_SHIFT - 1));

/// The constant at 13 bits, rounded.
pub(super) const fn fixed(constant: f64) -> i32 {
    let half = if constant < 0.0 { -0.5 } else { 0.5 };
    (constant * (1 << CONSTANT_BITS) as f64 + half) as i32
}

const F_0_298: i32 = fixed(0.298_631_336);
const F_0_390: i32 = fixed(0.390_180_644);
const F_0_541: i32 = fixed(0.541_196_100);
const F_0_765: i32 = fixed(0.765_366_865);
const F_0_899: i32 = fixed(0.899_976_223);
const F_1_175: i32 = fixed(1.175_875_602);
const F_1_501: i32 = fixed(1.501_321_110);
const F_1_847: i32 = fixed(1.847_759_065);
const F_1_961: i32 = fixed(1.961_570_560);
const F_2_053: i32 = fixed(2.053_119_869);
const F_2_562: i32 = fixed(2.562_915_447);
const F_3_072: i32 = fixed(3.072_711_026);

/// How blocks become pixels: portably, or with the vectors of one kind of processor. All give the same bytes.
pub(super) trait Transform {
    /// Transforms a block, of which only the first `SIDE` (4 or 8) rows and columns have coefficients that are not zero, to 8 rows of 8
    /// pixels, `stride` bytes from one to the next.
    ///
    /// # Safety
    /// The processor must have the vectors.
    unsafe fn block<const SIDE: usize>(coefficients: &[i16; 64], factors: &[i32; 64], to: &mut [u8], stride: usize);
}

/// A block of which only the first coefficient is not zero: one colour, in `side` rows of as many pixels.
#[inline(always)]
pub(super) fn flat(coefficient: i16, factor: i32, side: usize, to: &mut [u8], stride: usize) {
    let value = (i32::from(coefficient).wrapping_mul(factor) << KEPT_BITS).wrapping_add(1 << (KEPT_BITS + 2))
        >> (KEPT_BITS + 3);
    let pixel = (value + 128).clamp(0, 255) as u8;
    for row in to.chunks_mut(stride).take(side) {
        row[..side].fill(pixel);
    }
}

/// Lanes of 32 bits.
trait Lanes: Copy {
    unsafe fn plus(self, other: Self) -> Self;
    unsafe fn minus(self, other: Self) -> Self;
    unsafe fn times(self, constant: i32) -> Self;
    unsafe fn shifted(self) -> Self;
}

/// One dimension of eight blocks' rows or columns at a time. Those from the `SIDE`th on are zero, and not looked at.
///
/// # Safety
/// As [`Transform::block`].
#[inline(always)]
unsafe fn pass<const SIDE: usize, L: Lanes>(s: [L; 8]) -> [L; 8] {
    // SAFETY: the caller says that the processor has the vectors.
    unsafe {
        // Even part.
        let (low, high) = match SIDE {
            4 => {
                let first = s[0].shifted();
                ([first, first], [s[2].times(F_0_541), s[2].times(F_0_541 + F_0_765)])
            }
            _ => {
                let z = s[2].plus(s[6]).times(F_0_541);
                (
                    [s[0].plus(s[4]).shifted(), s[0].minus(s[4]).shifted()],
                    [z.plus(s[6].times(-F_1_847)), z.plus(s[2].times(F_0_765))],
                )
            }
        };
        let even = [low[0].plus(high[1]), low[1].plus(high[0]), low[1].minus(high[0]), low[0].minus(high[1])];
        // Odd part.
        let odd = match SIDE {
            4 => {
                let z5 = s[3].plus(s[1]).times(F_1_175);
                let z3 = s[3].times(-F_1_961).plus(z5);
                let z4 = s[1].times(-F_0_390).plus(z5);
                [
                    s[1].times(F_1_501 - F_0_899).plus(z4),
                    s[3].times(F_3_072 - F_2_562).plus(z3),
                    s[3].times(-F_2_562).plus(z4),
                    s[1].times(-F_0_899).plus(z3),
                ]
            }
            _ => {
                let (z1, z2) = (s[7].plus(s[1]), s[5].plus(s[3]));
                let (z3, z4) = (s[7].plus(s[3]), s[5].plus(s[1]));
                let z5 = z3.plus(z4).times(F_1_175);
                let (z1, z2) = (z1.times(-F_0_899), z2.times(-F_2_562));
                let (z3, z4) = (z3.times(-F_1_961).plus(z5), z4.times(-F_0_390).plus(z5));
                [
                    s[1].times(F_1_501).plus(z1).plus(z4),
                    s[3].times(F_3_072).plus(z2).plus(z3),
                    s[5].times(F_2_053).plus(z2).plus(z4),
                    s[7].times(F_0_298).plus(z1).plus(z3),
                ]
            }
        };
        [
            even[0].plus(odd[0]),
            even[1].plus(odd[1]),
            even[2].plus(odd[2]),
            even[3].plus(odd[3]),
            even[3].minus(odd[3]),
            even[2].minus(odd[2]),
            even[1].minus(odd[1]),
            even[0].minus(odd[0]),
        ]
    }
}

/// In plain Rust.
pub(super) struct Portable;

impl<const COUNT: usize> Lanes for [i32; COUNT] {
    #[inline(always)]
    unsafe fn plus(mut self, other: Self) -> Self {
        for lane in 0..COUNT {
            self[lane] = self[lane].wrapping_add(other[lane]);
        }
        self
    }

    #[inline(always)]
    unsafe fn minus(mut self, other: Self) -> Self {
        for lane in 0..COUNT {
            self[lane] = self[lane].wrapping_sub(other[lane]);
        }
        self
    }

    #[inline(always)]
    unsafe fn times(mut self, constant: i32) -> Self {
        for x in &mut self {
            *x = x.wrapping_mul(constant);
        }
        self
    }

    #[inline(always)]
    unsafe fn shifted(mut self) -> Self {
        for x in &mut self {
            *x <<= CONSTANT_BITS;
        }
        self
    }
}

impl Transform for Portable {
    #[inline(always)]
    unsafe fn block<const SIDE: usize>(coefficients: &[i16; 64], factors: &[i32; 64], to: &mut [u8], stride: usize) {
        let rows = std::array::from_fn(|row| {
            std::array::from_fn(|column| {
                let at = 8 * row + column;
                if row < SIDE { i32::from(coefficients[at]).wrapping_mul(factors[at]) } else { 0 }
            })
        });
        let descaled = |x: i32, bits: i32| x.wrapping_add(1 << (bits - 1)) >> bits;
        // SAFETY: arrays are of no kind of processor.
        let rows: [[i32; 8]; 8] = unsafe { pass::<SIDE, _>(rows) };
        let columns = std::array::from_fn(|column| {
            std::array::from_fn(|row| descaled(rows[row][column], CONSTANT_BITS - KEPT_BITS))
        });
        // SAFETY: as above.
        let columns: [[i32; 8]; 8] = unsafe { pass::<SIDE, _>(columns) };
        for (row, pixels) in to.chunks_mut(stride).take(8).enumerate() {
            for (column, pixel) in pixels[..8].iter_mut().enumerate() {
                *pixel = (columns[column][row].wrapping_add(HALF_AND_MIDDLE) >> LAST_SHIFT).clamp(0, 255) as u8;
            }
        }
    }
}

#[cfg(target_arch = "x86_64")]
pub(super) use x86::Avx2;

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::*;

    use super::{CONSTANT_BITS, HALF_AND_MIDDLE, KEPT_BITS, LAST_SHIFT, Lanes, Transform, pass};

    /// With AVX2.
    pub(in super::super) struct Avx2;

    impl Lanes for __m256i {
        #[inline(always)]
        unsafe fn plus(self, other: Self) -> Self {
            unsafe { _mm256_add_epi32(self, other) }
        }

        #[inline(always)]
        unsafe fn minus(self, other: Self) -> Self {
            unsafe { _mm256_sub_epi32(self, other) }
        }

        #[inline(always)]
        unsafe fn times(self, constant: i32) -> Self {
            unsafe { _mm256_mullo_epi32(self, _mm256_set1_epi32(constant)) }
        }

        #[inline(always)]
        unsafe fn shifted(self) -> Self {
            unsafe { _mm256_slli_epi32::<CONSTANT_BITS>(self) }
        }
    }

    impl Transform for Avx2 {
        #[inline(always)]
        unsafe fn block<const SIDE: usize>(
            coefficients: &[i16; 64],
            factors: &[i32; 64],
            to: &mut [u8],
            stride: usize,
        ) {
            // Room for 8 rows of 8 pixels, looked at once.
            let to = &mut to[..7 * stride + 8];
            // SAFETY: the caller says that the processor has AVX2; loads are of 8 of the 64 values each, stores of the 8 pixels of a row.
            unsafe {
                let mut rows = [_mm256_setzero_si256(); 8];
                for (row, values) in rows.iter_mut().enumerate().take(SIDE) {
                    let coefficients = _mm_loadu_si128(coefficients.as_ptr().add(8 * row).cast());
                    let factors = _mm256_loadu_si256(factors.as_ptr().add(8 * row).cast());
                    *values = _mm256_mullo_epi32(_mm256_cvtepi16_epi32(coefficients), factors);
                }
                // Loops, and no closures, which the compiler is free not to inline: then they have no vectors.
                let half = _mm256_set1_epi32(1 << (CONSTANT_BITS - KEPT_BITS - 1));
                let mut rows = pass::<SIDE, _>(rows);
                for row in &mut rows {
                    *row = _mm256_srai_epi32::<{ CONSTANT_BITS - KEPT_BITS }>(_mm256_add_epi32(*row, half));
                }
                let half = _mm256_set1_epi32(HALF_AND_MIDDLE);
                let mut columns = pass::<SIDE, _>(transposed(rows));
                for column in &mut columns {
                    *column = _mm256_srai_epi32::<LAST_SHIFT>(_mm256_add_epi32(*column, half));
                }
                // Packing with saturation, signed and then unsigned, clamps to 0 to 255. Each half of the vectors has four rows.
                let [a, b, c, d, e, f, g, h] = columns;
                let left = _mm256_packus_epi16(_mm256_packs_epi32(a, b), _mm256_packs_epi32(c, d));
                let right = _mm256_packus_epi16(_mm256_packs_epi32(e, f), _mm256_packs_epi32(g, h));
                let by_rows = _mm256_setr_epi8(
                    0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15, 0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7,
                    11, 15,
                );
                let (left, right) = (_mm256_shuffle_epi8(left, by_rows), _mm256_shuffle_epi8(right, by_rows));
                let first = _mm256_unpacklo_epi32(left, right);
                let second = _mm256_unpackhi_epi32(left, right);
                let pairs = [
                    _mm256_castsi256_si128(first),
                    _mm256_castsi256_si128(second),
                    _mm256_extracti128_si256::<1>(first),
                    _mm256_extracti128_si256::<1>(second),
                ];
                for (pair, rows) in pairs.into_iter().enumerate() {
                    let to = to.as_mut_ptr().add(2 * pair * stride);
                    _mm_storel_epi64(to.cast(), rows);
                    _mm_storel_epi64(to.add(stride).cast(), _mm_unpackhi_epi64(rows, rows));
                }
            }
        }
    }

    /// Rows as columns.
    #[inline(always)]
    unsafe fn transposed(r: [__m256i; 8]) -> [__m256i; 8] {
        // SAFETY: the caller says that the processor has AVX2.
        unsafe {
            let (mut twos, mut fours, mut all) = (r, r, r);
            for at in [0, 2, 4, 6] {
                twos[at] = _mm256_unpacklo_epi32(r[at], r[at + 1]);
                twos[at + 1] = _mm256_unpackhi_epi32(r[at], r[at + 1]);
            }
            for (at, from) in [(0, 0), (2, 1), (4, 4), (6, 5)] {
                fours[at] = _mm256_unpacklo_epi64(twos[from], twos[from + 2]);
                fours[at + 1] = _mm256_unpackhi_epi64(twos[from], twos[from + 2]);
            }
            for at in 0..4 {
                all[at] = _mm256_permute2x128_si256::<0x20>(fours[at], fours[at + 4]);
                all[at + 4] = _mm256_permute2x128_si256::<0x31>(fours[at], fours[at + 4]);
            }
            all
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::{Key, Purpose};

    /// What the definition of the transform gives.
    fn exact(coefficients: &[i16; 64], factors: &[i32; 64]) -> [f64; 64] {
        let scale = |at: usize| if at == 0 { 0.5_f64.sqrt() } else { 1.0 };
        let wave = |at: usize, of: usize| {
            ((2 * at + 1) as f64 * of as f64 * std::f64::consts::PI / 16.0).cos() * scale(of) / 2.0
        };
        std::array::from_fn(|pixel| {
            let sum = (0..64).map(|at| {
                f64::from(coefficients[at]) * f64::from(factors[at]) * wave(pixel / 8, at / 8) * wave(pixel % 8, at % 8)
            });
            (sum.sum::<f64>() + 128.0).clamp(0.0, 255.0)
        })
    }

    #[test]
    fn every_kind_gives_the_bytes_of_the_plain_one_which_are_those_of_the_definition_but_for_rounding() {
        let mut rng = Key { seed: 5, epoch: 0, position: 0, view: 0, op: 0, purpose: Purpose::Op }.rng();
        for turn in 0..2000 {
            let side = [1, 4, 8][turn % 3];
            let mut coefficients = [0_i16; 64];
            for at in (0..64).filter(|at| at / 8 < side && at % 8 < side) {
                coefficients[at] = (rng.below(81) as i16 - 40) / (1 + at as i16 / 8 + at as i16 % 8);
            }
            let factors: [i32; 64] = std::array::from_fn(|_| 1 + rng.below(16) as i32);
            let (mut plain, mut other) = ([7_u8; 8 * 11], [7_u8; 8 * 11]);
            // SAFETY: this one is for every processor.
            unsafe { Portable::block::<8>(&coefficients, &factors, &mut plain, 11) };
            for (at, exact) in exact(&coefficients, &factors).iter().enumerate() {
                let found = f64::from(plain[at / 8 * 11 + at % 8]);
                assert!((found - exact).abs() <= 1.0, "pixel {at} is {found}, expected {exact}");
            }
            let mut check = |name: &str, run: &dyn Fn(&mut [u8])| {
                other.fill(7);
                run(&mut other);
                assert_eq!(other, plain, "{name}, {side} rows");
            };
            if side <= 4 {
                // SAFETY: as above.
                check("portable by 4", &|to| unsafe { Portable::block::<4>(&coefficients, &factors, to, 11) });
            }
            if side == 1 {
                check("flat", &|to| flat(coefficients[0], factors[0], 8, to, 11));
            }
            #[cfg(target_arch = "x86_64")]
            if is_x86_feature_detected!("avx2") {
                // SAFETY: it was found to have AVX2.
                check("AVX2", &|to| unsafe { Avx2::block::<8>(&coefficients, &factors, to, 11) });
                if side <= 4 {
                    // SAFETY: as above.
                    check("AVX2 by 4", &|to| unsafe { Avx2::block::<4>(&coefficients, &factors, to, 11) });
                }
            }
        }
    }
}
