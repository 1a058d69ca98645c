pub(super) mod affine;
pub(super) mod center_crop;
pub(super) mod central_crop;
pub(super) mod d4;
pub(super) mod elastic;
pub(super) mod fixed_crop;
pub(super) mod grid_distortion;
pub(super) mod horizontal_flip;
pub(super) mod letterbox;
pub(super) mod longest_max_size;
pub(super) mod optical_distortion;
pub(super) mod pad;
pub(super) mod pad_if_needed;
pub(super) mod perspective;
pub(super) mod random_crop;
pub(super) mod random_iou_crop;
pub(super) mod random_resized_crop;
pub(super) mod random_scale;
pub(super) mod random_sized_crop;
pub(super) mod random_zoom_out;
pub(super) mod resize;
pub(super) mod rot90;
pub(super) mod rotate;
pub(super) mod shift_scale_rotate;
pub(super) mod smallest_max_size;
pub(super) mod transpose;
pub(super) mod vertical_flip;

/// Windows of an image: cutting them out, and what lies beyond the edge.
mod crop;

/// Pixels between pixels: every filter, for 8 bits and floats.
mod resample;

/// Sizes that keep the ratio of the sides.
mod max_size;

/// Pixels from anywhere: affine and projective maps, and fields.
mod warp;

/// Scaling, shearing, turning and moving: what several ops draw and apply.
mod motion;

/// Affine maps for policies.
mod tensor_move;

/// Matrices of three by three.
mod matrix;

/// What curved distortions have in common.
mod curved;

/// Noise, and its smoothing.
mod noise_field;

use crate::augment::op::Refusal;

pub(in crate::augment) use horizontal_flip::mirror_rows;
pub use resample::scaled_to_look_at;
pub(super) use resample::{Resizing, Tables};
pub(super) use tensor_move::TensorMove;

/// The two numbers of a range.
fn range(field: &str, values: &[f64]) -> Result<[f64; 2], Refusal> {
    <[f64; 2]>::try_from(values).map_err(|_| Refusal::new(field, format!("{values:?}"), "two numbers [low, high]"))
}

#[cfg(test)]
mod tests;

#[cfg(test)]
mod every_tests;
