//! Vectors of pixels: the red, green and blue of several pixels, one 32-bit float each. A loop over 8-bit pixels is written
//! once against [`Lanes`] and runs at every level; each operation is one rounding of IEEE 754, so every level gives the same.

#![allow(unsafe_code)]

#[cfg(target_arch = "x86_64")]
use super::lanes_x86 as x86;
use super::pointwise::{clamp, cut};
use crate::simd::Level;

/// One colour of [`Lanes::COUNT`] pixels.
///
/// # Safety
/// All functions need a processor with the features of the implementation's level. Implementations read at most
/// [`Lanes::READ`] bytes in `load` and write `3 * COUNT` in `store`.
pub(super) unsafe trait Lanes: Copy {
    /// Pixels at a time.
    const COUNT: usize;
    /// Bytes that `load` reads: at least `3 * COUNT`.
    const READ: usize;

    /// Red, green and blue of the next pixels.
    ///
    /// # Safety
    /// As for the trait; [`Lanes::READ`] bytes at `from` can be read.
    unsafe fn load(from: *const u8) -> [Self; 3];

    /// Writes pixels, fractions cut off and values beyond 0 to 255 clamped. Values are below 2^31.
    ///
    /// # Safety
    /// As for the trait; `3 * COUNT` bytes at `to` can be written.
    unsafe fn store(rgb: [Self; 3], to: *mut u8);

    /// `x` in every lane.
    ///
    /// # Safety
    /// As for the trait.
    unsafe fn splat(x: f32) -> Self;

    /// Sum.
    ///
    /// # Safety
    /// As for the trait.
    unsafe fn plus(self, other: Self) -> Self;

    /// Product.
    ///
    /// # Safety
    /// As for the trait.
    unsafe fn times(self, other: Self) -> Self;

    /// `self + a * b` of whole numbers whose product and sum are below 2^24. Both are exact, so fusing them, where the processor
    /// can, changes no bit: the one place where it is allowed.
    ///
    /// # Safety
    /// As for the trait.
    unsafe fn plus_whole_product(self, a: Self, b: Self) -> Self;

    /// Values from 0 up, clamped to 255, fraction cut off.
    ///
    /// # Safety
    /// As for the trait.
    unsafe fn whole_of_positive(self) -> Self;

    /// Clamped to 0 to 255, fraction cut off.
    ///
    /// # Safety
    /// As for the trait.
    unsafe fn whole(self) -> Self;

    /// Fraction of values from 0 to 2^31 cut off.
    ///
    /// # Safety
    /// As for the trait.
    unsafe fn cut(self) -> Self;

    /// Sum of all lanes, which are whole numbers whose sum is below 2^24 per lane.
    ///
    /// # Safety
    /// As for the trait.
    unsafe fn total(self) -> u64;
}

/// A loop over lanes, with all it works on as fields.
pub(super) trait LaneKernel: Sized {
    /// What it returns.
    type Output;

    /// The loop. Must be `#[inline(always)]`, and so must all that it gives lanes to: what is not inlined is not compiled for
    /// the level, and closures are not always.
    ///
    /// # Safety
    /// The processor has the features of `L`.
    unsafe fn run<L: Lanes>(self) -> Self::Output;

    /// Runs it at `level`, or at the highest that the processor has if that is lower.
    fn run_at(self, level: Level) -> Self::Output {
        match level.min(Level::detected()) {
            // SAFETY: the processor has the features of every level up to the detected one.
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => unsafe { x86::at_avx512(self) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => unsafe { x86::at_avx2(self) },
            // SAFETY: plain Rust needs no features.
            _ => unsafe { self.run::<Plain<8>>() },
        }
    }
}

/// Lanes in plain Rust.
#[derive(Clone, Copy)]
pub(super) struct Plain<const N: usize>([f32; N]);

impl<const N: usize> Plain<N> {
    #[inline(always)]
    fn map(mut self, f: impl Fn(f32) -> f32) -> Self {
        for x in &mut self.0 {
            *x = f(*x);
        }
        self
    }

    #[inline(always)]
    fn each(mut self, other: Self, f: impl Fn(f32, f32) -> f32) -> Self {
        for (x, y) in self.0.iter_mut().zip(other.0) {
            *x = f(*x, y);
        }
        self
    }
}

// SAFETY: no features are needed, and `load` and `store` stay within 3 N bytes.
unsafe impl<const N: usize> Lanes for Plain<N> {
    const COUNT: usize = N;
    const READ: usize = 3 * N;

    #[inline(always)]
    unsafe fn load(from: *const u8) -> [Self; 3] {
        let mut rgb = [Plain([0.0; N]); 3];
        for i in 0..N {
            for (channel, values) in rgb.iter_mut().enumerate() {
                // SAFETY: the greatest index is 3 N - 1, and the caller says that READ = 3 N bytes can be read.
                values.0[i] = f32::from(unsafe { *from.add(3 * i + channel) });
            }
        }
        rgb
    }

    #[inline(always)]
    unsafe fn store(rgb: [Self; 3], to: *mut u8) {
        for i in 0..N {
            for (channel, values) in rgb.iter().enumerate() {
                // SAFETY: the greatest index is 3 N - 1, and the caller says that 3 N bytes can be written.
                unsafe { *to.add(3 * i + channel) = cut(values.0[i]) };
            }
        }
    }

    #[inline(always)]
    unsafe fn splat(x: f32) -> Self {
        Plain([x; N])
    }

    #[inline(always)]
    unsafe fn plus(self, other: Self) -> Self {
        self.each(other, |a, b| a + b)
    }

    #[inline(always)]
    unsafe fn times(self, other: Self) -> Self {
        self.each(other, |a, b| a * b)
    }

    #[inline(always)]
    unsafe fn plus_whole_product(self, a: Self, b: Self) -> Self {
        self.each(a.each(b, |a, b| a * b), |x, y| x + y)
    }

    #[inline(always)]
    unsafe fn whole_of_positive(self) -> Self {
        // SAFETY: as the function itself.
        unsafe { self.whole() }
    }

    #[inline(always)]
    unsafe fn whole(self) -> Self {
        // SAFETY: plain Rust.
        unsafe { self.map(|x| clamp(x, 255.0)).cut() }
    }

    #[inline(always)]
    unsafe fn cut(self) -> Self {
        // `floor` would be a call into the platform's library on x86-64 before SSE 4.1, and a checked cast does not become
        // vectors. SAFETY: the caller says that values are from 0 to 2^31.
        self.map(|x| unsafe { x.to_int_unchecked::<i32>() } as f32)
    }

    #[inline(always)]
    unsafe fn total(self) -> u64 {
        self.0.iter().map(|x| *x as u64).sum()
    }
}
