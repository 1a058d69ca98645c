//! One portable binary that is fast everywhere: a loop is compiled once per level of vector instructions, and the best level
//! that the processor has is chosen at run time. The compiler never fuses a multiplication with an addition and never reorders
//! a sum of floats by itself, so every level gives the same bits; tests run each and compare.

use std::sync::atomic::{AtomicU8, Ordering};

/// Vector instructions that a loop may be compiled for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Level {
    /// What every processor of the target has: SSE2 on x86-64, NEON on AArch64.
    Baseline = 0,
    /// AVX2, FMA, BMI and LZCNT: x86-64 since 2013 (Haswell) and 2015 (Excavator).
    Avx2 = 1,
    /// AVX-512 F, BW, DQ, VL and VBMI: x86-64 servers since 2021 (Ice Lake) and 2022 (Zen 4).
    Avx512 = 2,
}

impl Level {
    /// Every level, lowest first.
    pub const ALL: [Level; 3] = [Level::Baseline, Level::Avx2, Level::Avx512];

    /// The highest level that this processor has.
    pub fn detected() -> Level {
        #[cfg(target_arch = "x86_64")]
        {
            let avx512 = is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512bw")
                && is_x86_feature_detected!("avx512dq")
                && is_x86_feature_detected!("avx512vl")
                && is_x86_feature_detected!("avx512vbmi");
            let avx2 = is_x86_feature_detected!("avx2")
                && is_x86_feature_detected!("fma")
                && is_x86_feature_detected!("bmi1")
                && is_x86_feature_detected!("bmi2")
                && is_x86_feature_detected!("lzcnt");
            match avx2 {
                true if avx512 => Level::Avx512,
                true => Level::Avx2,
                false => Level::Baseline,
            }
        }
        #[cfg(not(target_arch = "x86_64"))]
        Level::Baseline
    }

    /// The level that loops run at: the highest that the processor has and [`limit`] allows.
    pub fn current() -> Level {
        Level::detected().min(Level::ALL[usize::from(LIMIT.load(Ordering::Relaxed)).min(2)])
    }

    /// The levels that this processor has, lowest first.
    pub fn available() -> impl Iterator<Item = Level> {
        Level::ALL.into_iter().filter(|level| *level <= Level::detected())
    }
}

/// Keeps the process from using levels above `most`. No output depends on it, only speed: for tests and measurements.
pub fn limit(most: Level) {
    LIMIT.store(most as u8, Ordering::Relaxed);
}

static LIMIT: AtomicU8 = AtomicU8::new(Level::Avx512 as u8);

/// A loop written in plain Rust, with all it works on as fields.
pub(crate) trait Kernel: Sized {
    /// What it returns.
    type Output;

    /// The loop. Must be `#[inline(always)]`, and so must all it calls: only what is inlined is compiled for a level.
    fn run(self) -> Self::Output;

    /// Runs it at the best level.
    fn dispatch(self) -> Self::Output {
        self.run_at(Level::current())
    }

    /// Runs it at `level`, or at the highest that the processor has if that is lower.
    fn run_at(self, level: Level) -> Self::Output {
        match level.min(Level::detected()) {
            // SAFETY: the processor has the features of every level up to the detected one.
            #[cfg(target_arch = "x86_64")]
            #[allow(unsafe_code)]
            Level::Avx512 => unsafe { at_avx512(self) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            #[allow(unsafe_code)]
            Level::Avx2 => unsafe { at_avx2(self) },
            _ => self.run(),
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt")]
fn at_avx2<K: Kernel>(kernel: K) -> K::Output {
    kernel.run()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vbmi,bmi1,bmi2,lzcnt")]
fn at_avx512<K: Kernel>(kernel: K) -> K::Output {
    kernel.run()
}

/// Copies past the caches, for large results that nobody reads soon: they need not be fetched to be overwritten, and push nothing out.
/// x86-64 has it at every level; elsewhere it is a copy.
pub(crate) struct PastCaches(Level);

impl PastCaches {
    pub(crate) fn new() -> Self {
        PastCaches(Level::current())
    }

    /// Copies `from` to `to`, which must be as long.
    pub(crate) fn copy(&self, from: &[u8], to: &mut [u8]) {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            // SAFETY: the level is none above the detected one.
            #[allow(unsafe_code)]
            Level::Avx512 => unsafe { copy_wide(from, to) },
            #[cfg(target_arch = "x86_64")]
            _ => copy_lines::<false>(from, to),
            #[cfg(not(target_arch = "x86_64"))]
            _ => to.copy_from_slice(from),
        }
    }
}

impl Drop for PastCaches {
    fn drop(&mut self) {
        // Such writes are ordered by nothing else: whoever is told that they are done must see them.
        #[cfg(target_arch = "x86_64")]
        // SAFETY: every processor of the target has it.
        #[allow(unsafe_code)]
        unsafe {
            std::arch::x86_64::_mm_sfence();
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
fn copy_wide(from: &[u8], to: &mut [u8]) {
    copy_lines::<true>(from, to);
}

/// Copies whole lines of the cache past it, and what is before and behind them as always. `WIDE` needs AVX-512.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn copy_lines<const WIDE: bool>(from: &[u8], to: &mut [u8]) {
    use std::arch::x86_64::{_mm_loadu_si128, _mm_stream_si128, _mm512_loadu_si512, _mm512_stream_si512};

    let (first, whole) = to.split_at_mut(to.as_ptr().align_offset(64).min(to.len()));
    let (from_first, from) = from.split_at(first.len());
    first.copy_from_slice(from_first);
    let (lines, last) = whole.as_chunks_mut::<64>();
    let (from_lines, from_last) = from.as_chunks::<64>();
    for (to, from) in lines.iter_mut().zip(from_lines) {
        // SAFETY: both are 64 bytes, and those written begin at a multiple of 64; whoever says `WIDE` knows the processor.
        #[allow(unsafe_code)]
        unsafe {
            if WIDE {
                _mm512_stream_si512(to.as_mut_ptr().cast(), _mm512_loadu_si512(from.as_ptr().cast()));
            } else {
                for at in [0, 16, 32, 48] {
                    _mm_stream_si128(to.as_mut_ptr().add(at).cast(), _mm_loadu_si128(from.as_ptr().add(at).cast()));
                }
            }
        }
    }
    last.copy_from_slice(from_last);
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Scale<'a>(&'a mut [f32], f32, f32);

    impl Kernel for Scale<'_> {
        type Output = usize;

        #[inline(always)]
        fn run(self) -> usize {
            self.0.iter_mut().for_each(|x| *x = *x * self.1 + self.2);
            self.0.len()
        }
    }

    #[test]
    fn every_level_gives_the_same_bits_since_nothing_is_fused() {
        let input: Vec<f32> = (0..1003).map(|i| (i as f32).sqrt() * 1.37).collect();
        let mut expected = input.clone();
        Scale(&mut expected, 0.1, 0.3).run();
        for level in Level::ALL {
            let mut values = input.clone();
            assert_eq!(Scale(&mut values, 0.1, 0.3).run_at(level), 1003);
            assert_eq!(values, expected, "{level:?}");
        }
    }

    #[test]
    fn the_baseline_is_always_there_and_nothing_runs_above_what_was_detected() {
        assert_eq!(Level::available().next(), Some(Level::Baseline));
        assert_eq!(Level::available().last(), Some(Level::detected()));
        assert!(Level::current() <= Level::detected());
    }

    #[test]
    fn what_is_copied_past_the_caches_arrives_whole_wherever_it_begins() {
        let from: Vec<u8> = (0..1000_u32).map(|x| ((x * x) >> 3) as u8).collect();
        for level in Level::available() {
            for (start, length) in [(0, 0), (0, 1), (1, 63), (3, 64), (0, 640), (63, 130), (17, 900)] {
                let mut to = vec![7_u8; 1064];
                let first = to.as_ptr().align_offset(64);
                let place = first + start..first + start + length;
                PastCaches(level).copy(&from[..length], &mut to[place.clone()]);
                assert_eq!(&to[place.clone()], &from[..length], "{level:?}, {length} bytes from {start}");
                let others = to.iter().enumerate().filter(|(at, _)| !place.contains(at));
                assert!(others.into_iter().all(|(_, x)| *x == 7), "{level:?}, {length} bytes from {start}");
            }
        }
    }
}
