//! Formulas that make each value of that value alone.

use super::table::Table;
use crate::simd::{Kernel, Level};

/// Makes each of `values` `f` of it, clamped to 0 to 255 and its fraction cut off. `f` must be `#[inline(always)]` or a closure
/// that is small enough to be inlined.
pub(super) fn map(values: &mut [u8], f: impl Fn(f32) -> f32) {
    // Where 64 values are looked up at once, that is faster than to compute them.
    match Level::current() {
        Level::Avx512 if values.len() > LONG => Table::of(f).apply(values),
        _ => Bytes { values, f }.dispatch(),
    }
}

/// As [`map`] for an image of interleaved `channels` (1 or 3), `f` knowing the channel.
pub(super) fn map_channels(values: &mut [u8], channels: usize, f: impl Fn(usize, f32) -> f32) {
    // A table per channel: the formula may divide or branch, and 768 values are little work.
    let tables: Vec<Table> = (0..channels).map(|channel| Table::of(|x| f(channel, x))).collect();
    match &tables[..] {
        [all] => all.apply(values),
        tables => {
            for pixel in values.chunks_exact_mut(channels) {
                pixel.iter_mut().zip(tables).for_each(|(x, table)| *x = table.value(*x));
            }
        }
    }
}

/// Makes each of `values` `f` of it.
pub(super) fn map_floats(values: &mut [f32], f: impl Fn(f32) -> f32) {
    Floats { values, f }.dispatch();
}

/// Makes each of `values` `f` of it, in arithmetic of whole numbers.
pub(super) fn map_bytes(values: &mut [u8], f: impl Fn(u8) -> u8) {
    WholeNumbers { values, f }.dispatch();
}

/// Makes each value of an image of interleaved `channels` (1 or 3) `f` of it and of a number that its channel has.
pub(super) fn map_with<T: Copy>(values: &mut [u8], channels: usize, numbers: [T; 3], f: impl Fn(u8, T) -> u8) {
    let numbers = if channels == 3 { numbers } else { [numbers[0]; 3] };
    Channels { values, numbers, f }.dispatch();
}

struct WholeNumbers<'a, F> {
    values: &'a mut [u8],
    f: F,
}

impl<F: Fn(u8) -> u8> Kernel for WholeNumbers<'_, F> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        self.values.iter_mut().for_each(|x| *x = (self.f)(*x));
    }
}

struct Channels<'a, T, F> {
    values: &'a mut [u8],
    numbers: [T; 3],
    f: F,
}

impl<T: Copy, F: Fn(u8, T) -> u8> Kernel for Channels<'_, T, F> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        // A chunk is whole pixels and whole vectors, so that its numbers are vectors too.
        let numbers: [T; 3 * CHUNK] = std::array::from_fn(|index| self.numbers[index % 3]);
        let (chunks, rest) = self.values.as_chunks_mut::<{ 3 * CHUNK }>();
        for chunk in chunks {
            chunk.iter_mut().zip(&numbers).for_each(|(x, number)| *x = (self.f)(*x, *number));
        }
        rest.iter_mut().zip(&numbers).for_each(|(x, number)| *x = (self.f)(*x, *number));
    }
}

/// Makes each value of an image of interleaved `channels` `f` of it, `f` knowing the channel.
pub(super) fn map_floats_channels(values: &mut [f32], channels: usize, f: impl Fn(usize, f32) -> f32) {
    for pixel in values.chunks_exact_mut(channels) {
        pixel.iter_mut().enumerate().for_each(|(channel, x)| *x = f(channel, *x));
    }
}

struct Bytes<'a, F> {
    values: &'a mut [u8],
    f: F,
}

impl<F: Fn(f32) -> f32> Kernel for Bytes<'_, F> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let (chunks, rest) = self.values.as_chunks_mut::<CHUNK>();
        // Whole chunks, so that the loop over one has a known length and becomes vectors without a remainder.
        for chunk in chunks {
            *chunk = chunk.map(|x| cut((self.f)(f32::from(x))));
        }
        rest.iter_mut().for_each(|x| *x = cut((self.f)(f32::from(*x))));
    }
}

struct Floats<'a, F> {
    values: &'a mut [f32],
    f: F,
}

impl<F: Fn(f32) -> f32> Kernel for Floats<'_, F> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        self.values.iter_mut().for_each(|x| *x = (self.f)(*x));
    }
}

/// Values beyond which a table pays.
const LONG: usize = 2048;
/// Values of a chunk.
const CHUNK: usize = 64;

/// `x` clamped to 0 to 255, its fraction cut off; NaN is 0.
#[inline(always)]
#[allow(unsafe_code)]
pub(super) fn cut(x: f32) -> u8 {
    let clamped = clamp(x, 255.0);
    // SAFETY: from 0 to 255. A checked cast is several instructions and does not become vectors.
    unsafe { clamped.to_int_unchecked::<i32>() as u8 }
}

/// `x` clamped to 0 to 255.
#[inline(always)]
pub(super) fn cut_whole(x: i32) -> u8 {
    x.clamp(0, 255) as u8
}

/// `x` clamped to 0 to `full`; NaN is 0. One instruction each, unlike `f32::clamp` with its care for NaN.
#[inline(always)]
pub(super) fn clamp(x: f32, full: f32) -> f32 {
    let x = if x > 0.0 { x } else { 0.0 };
    if x < full { x } else { full }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_level_cuts_and_clamps_alike() {
        let input: Vec<u8> = (0..=255).chain(0..77).collect();
        for (scale, offset) in [(1.7, -30.3), (0.4, 0.0), (-2.0, 300.0), (1000.0, -1000.0), (f32::NAN, 0.0)] {
            let expected: Vec<u8> = input.iter().map(|x| (f32::from(*x) * scale + offset) as u8).collect();
            for level in Level::ALL {
                let mut values = input.clone();
                Bytes { values: &mut values, f: |x| x * scale + offset }.run_at(level);
                assert_eq!(values, expected, "{level:?}");
            }
        }
    }

    #[test]
    fn channels_have_a_formula_each() {
        let mut values = [10, 10, 10, 200, 200, 200];
        map_channels(&mut values, 3, |channel, x| x * (channel as f32));
        assert_eq!(values, [0, 10, 20, 0, 200, 255]);
        let mut values = [10, 200];
        map_channels(&mut values, 1, |channel, x| x + 1.0 + channel as f32);
        assert_eq!(values, [11, 201]);
    }
}
