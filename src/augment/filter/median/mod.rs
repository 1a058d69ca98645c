//! The median of a square, by three ways: a network of minima and maxima for sides of 3 and 5, bisection of the 256 values for
//! sides up to 15, a moving histogram beyond. All are exact, so all agree.

/// Halving the range of values, many pixels at once.
mod bisection;
/// Counting values, one pixel after the other.
mod histogram;
/// Minima and maxima.
mod network;

use super::border::Beyond;
use crate::augment::op::Scratch;
use crate::image::{Image, Size};
use crate::simd::{Kernel, Level};

/// Replaces each value by the median of the `side` x `side` values of its channel around it; `side` is odd.
pub(super) fn filter(values: &mut [u8], size: Size, channels: usize, side: usize, scratch: &mut Scratch) {
    filter_at(Level::current(), values, size, channels, side, scratch);
}

/// As [`filter`], at `level` or at the highest that the processor has if that is lower.
pub(super) fn filter_at(
    level: Level,
    values: &mut [u8],
    size: Size,
    channels: usize,
    side: usize,
    scratch: &mut Scratch,
) {
    if side < 3 {
        return;
    }
    let source = Padded::new(values, size, channels, side / 2, scratch);
    let stride = source.stride;
    let mut sorted = scratch.bytes(if side <= 5 { stride * side } else { 0 });
    for (y, out) in values.chunks_exact_mut(stride - source.margin()).enumerate() {
        match side {
            3 => network::Network::<3> { rows: source.rows(y), channels, sorted: &mut sorted, out }.run_at(level),
            5 => network::Network::<5> { rows: source.rows(y), channels, sorted: &mut sorted, out }.run_at(level),
            7..=15 => bisection::Bisection { source: &source, y, out }.run_at(level),
            _ => histogram::row(&source, y, out),
        }
    }
    source.recycle(scratch);
    recycle(sorted, scratch);
}

/// The image with as many pixels more on each side as the square reaches, its outermost pixels repeated.
struct Padded {
    values: Vec<u8>,
    channels: usize,
    radius: usize,
    /// Values of a row.
    stride: usize,
}

impl Padded {
    fn new(values: &[u8], size: Size, channels: usize, radius: usize, scratch: &mut Scratch) -> Self {
        let (width, height) = (size.width as usize * channels, size.height as usize);
        let stride = width + 2 * radius * channels;
        let mut padded = scratch.bytes(stride * (height + 2 * radius));
        for (y, row) in padded.chunks_exact_mut(stride).enumerate() {
            let from = Beyond::Edge.index(y as i64 - radius as i64, height) * width;
            Beyond::Edge.pad(&values[from..from + width], channels, radius, row, |x| x);
        }
        Padded { values: padded, channels, radius, stride }
    }

    /// Values that a row has more than one of the image.
    fn margin(&self) -> usize {
        2 * self.radius * self.channels
    }

    /// The rows that the squares of row `y` reach.
    fn rows<const N: usize>(&self, y: usize) -> [&[u8]; N] {
        std::array::from_fn(|row| &self.values[(y + row) * self.stride..(y + row + 1) * self.stride])
    }

    fn recycle(self, scratch: &mut Scratch) {
        recycle(self.values, scratch);
    }
}

fn recycle(bytes: Vec<u8>, scratch: &mut Scratch) {
    if let Ok(length) = u32::try_from(bytes.len()) {
        scratch.recycle(Image::from_u8(Size::new(length, 1), 1, bytes));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By sorting.
    fn plain(values: &[u8], size: Size, channels: usize, side: usize) -> Vec<u8> {
        let (width, height, radius) = (size.width as usize, size.height as usize, side as i64 / 2);
        let mut made = Vec::new();
        for (y, x, channel) in
            (0..height).flat_map(|y| (0..width).flat_map(move |x| (0..channels).map(move |channel| (y, x, channel))))
        {
            let mut around = Vec::new();
            for (dy, dx) in (-radius..=radius).flat_map(|dy| (-radius..=radius).map(move |dx| (dy, dx))) {
                let (y, x) = ((y as i64 + dy).clamp(0, height as i64 - 1), (x as i64 + dx).clamp(0, width as i64 - 1));
                around.push(values[(y as usize * width + x as usize) * channels + channel]);
            }
            around.sort_unstable();
            made.push(around[around.len() / 2]);
        }
        made
    }

    #[test]
    fn every_way_and_level_gives_the_middle_of_the_sorted_values() {
        let sizes = [Size::new(1, 1), Size::new(2, 3), Size::new(21, 9), Size::new(90, 5)];
        for (size, channels) in sizes.into_iter().flat_map(|size| [(size, 1), (size, 3)]) {
            let mut state = 7_u32;
            let values: Vec<u8> = (0..size.area() as usize * channels)
                .map(|_| {
                    state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    (state >> 24) as u8 & if state & 512 == 0 { 0xff } else { 0xc3 }
                })
                .collect();
            for side in [1, 3, 5, 7, 9, 15, 17, 31] {
                let expected = plain(&values, size, channels, side);
                for level in Level::ALL {
                    let mut found = values.clone();
                    filter_at(level, &mut found, size, channels, side, &mut Scratch::default());
                    assert!(found == expected, "side {side} of {size} with {channels} channels at {level:?}");
                }
            }
        }
    }
}
