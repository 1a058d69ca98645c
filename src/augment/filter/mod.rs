pub(super) mod adjust_sharpness;
pub(super) mod box_blur;
pub(super) mod gaussian_blur;
pub(super) mod median_blur;
pub(super) mod motion_blur;
pub(super) mod sharpen;

/// What lies beyond the edge.
mod border;
/// Images of floats in 8 bits.
mod bytes;
mod median;
/// Filters of a row and a column.
mod separable;

use super::op::{Refusal, Scratch};
use crate::image::{Depth, Form, Image, Size};
use crate::seed::Rng;

pub(super) use bytes::through_bytes;

/// A range of the contract, which its rule has checked: two numbers, the first not above the second.
pub(super) fn range(field: &str, values: &[f64]) -> Result<[f64; 2], Refusal> {
    <[f64; 2]>::try_from(values).map_err(|_| Refusal::new(field, format!("{values:?}"), "two numbers [low, high]"))
}

/// A range of whole numbers.
pub(super) fn whole_range(field: &str, values: &[u32]) -> Result<[u32; 2], Refusal> {
    <[u32; 2]>::try_from(values).map_err(|_| Refusal::new(field, format!("{values:?}"), "two numbers [low, high]"))
}

/// The value of full brightness.
pub(super) fn full_scale(input: Form) -> Result<f32, Refusal> {
    match input.depth {
        Depth::U8 => Ok(255.0),
        Depth::F32 { full: Some(full) } => Ok(full),
        Depth::F32 { full: None } => {
            let found = "applied to floats without a full scale, after `normalize`";
            Err(Refusal::new("", found, "8 bits, or floats of a known scale: put it before `normalize`"))
        }
    }
}

/// Keeps the memory of floats that are not needed any more.
pub(super) fn recycle(floats: Vec<f32>, scratch: &mut Scratch) {
    if let Ok(length) = u32::try_from(floats.len()) {
        scratch.recycle(Image::from_f32(Size::new(length, 1), 1, floats));
    }
}

/// Odd sides of a kernel, each equally likely.
#[derive(Clone, Copy)]
struct Sides {
    smallest: u32,
    largest: u32,
}

impl Sides {
    /// The odd numbers of a range.
    fn new(field: &str, values: &[u32]) -> Result<Self, Refusal> {
        let [low, high] = whole_range(field, values)?;
        let (smallest, largest) = (low | 1, high.saturating_sub(1) | 1);
        if smallest > largest {
            return Err(Refusal::new(field, format!("{values:?}"), "a range that has an odd number"));
        }
        Ok(Sides { smallest, largest })
    }

    fn draw(self, rng: &mut Rng) -> u32 {
        self.smallest + 2 * rng.below(u64::from((self.largest - self.smallest) / 2) + 1) as u32
    }
}

/// A side out of a record as a kernel can have it: odd, 1 to 63.
fn odd(side: u32) -> usize {
    (side.clamp(1, MOST_SIDE) | 1) as usize
}

/// Longest side of a kernel but a Gaussian one's, in pixels.
const MOST_SIDE: u32 = 63;

#[cfg(test)]
mod tests;
