pub(super) mod center_crop;
pub(super) mod central_crop;
pub(super) mod fixed_crop;
pub(super) mod horizontal_flip;
pub(super) mod random_crop;
pub(super) mod random_resized_crop;
pub(super) mod resize;
pub(super) mod rot90;
pub(super) mod vertical_flip;

/// Windows of an image: cutting them out, and what lies beyond the edge.
mod crop;

/// Pixels between pixels: every filter, for 8 bits and floats.
mod resample;

use crate::augment::op::Refusal;

pub(super) use resample::Tables;
pub use resample::scaled_to_look_at;

/// The two numbers of a range.
fn range(field: &str, values: &[f64]) -> Result<[f64; 2], Refusal> {
    <[f64; 2]>::try_from(values).map_err(|_| Refusal::new(field, format!("{values:?}"), "two numbers [low, high]"))
}

#[cfg(test)]
mod tests;
