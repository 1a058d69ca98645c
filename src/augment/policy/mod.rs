pub(super) mod aug_mix;
pub(super) mod auto_augment;
pub(super) mod rand_augment;
pub(super) mod timm_augment;
pub(super) mod trivial_augment_wide;

/// Ops of a chain, and how they are applied one after the other.
mod chain;

/// torchvision's ops of a chain, on tensors.
mod tensor;

/// Pillow's ops of a chain.
mod pillow;

/// Magnitudes of torchvision's ops.
mod space;

/// Pairs of ops that were learned.
mod learned;

/// Policies as timm spells them.
mod timm;

/// Images added up by weight.
mod mix;

use super::op::Refusal;
use crate::image::{Depth, Form};

/// The value of full brightness: what the ops of a chain are relative to.
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

#[cfg(test)]
mod tests;
