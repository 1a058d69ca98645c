pub(super) mod fda;
pub(super) mod histogram_matching;
pub(super) mod onnx;
pub(super) mod pixel_distribution_adaptation;

/// Images of the dataset, and what an op keeps of each.
mod reference;

/// A reference image at the size of the image that it is applied to.
mod stretch;

/// Mean and spread of an image's colours.
mod spread;

/// Low frequencies of an image, and images of low frequencies.
mod waves;

use super::op::Refusal;
use crate::image::{Depth, Form};

/// The two numbers of a range.
fn range(field: &str, values: &[f64]) -> Result<[f64; 2], Refusal> {
    <[f64; 2]>::try_from(values).map_err(|_| Refusal::new(field, format!("{values:?}"), "two numbers [low, high]"))
}

/// The value of full brightness, which references of 8 bits are scaled to.
fn full_scale(input: Form) -> Result<f32, Refusal> {
    match input.depth {
        Depth::U8 => Ok(255.0),
        Depth::F32 { full: Some(full) } => Ok(full),
        Depth::F32 { full: None } => {
            let found = "applied to floats without a full scale, after `normalize`";
            Err(Refusal::new("", found, "8 bits, or floats of a known scale: put it before `normalize`"))
        }
    }
}

/// A number of recorded parameters, which may be anything, within what the op would draw.
fn within(x: f64, low: f64, high: f64) -> f64 {
    if x.is_nan() { low } else { x.clamp(low, high) }
}

#[cfg(test)]
mod tests;
