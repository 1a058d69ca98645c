pub(super) mod auto_contrast;
pub(super) mod brightness;
pub(super) mod channel_dropout;
pub(super) mod channel_shuffle;
pub(super) mod clahe;
pub(super) mod color_jitter;
pub(super) mod contrast;
pub(super) mod equalize;
pub(super) mod fancy_pca;
pub(super) mod gamma;
mod gray_pca;
pub(super) mod grayscale;
pub(super) mod hsv_gain;
pub(super) mod hue;
pub(super) mod hue_saturation_value;
pub(super) mod invert;
pub(super) mod photometric_distort;
pub(super) mod posterize;
pub(super) mod random_brightness_contrast;
pub(super) mod random_tone_curve;
pub(super) mod rgb_shift;
pub(super) mod saturation;
pub(super) mod solarize;
pub(super) mod to_sepia;

mod by_bytes;
mod extremes;
mod histogram;
mod hsv;
mod hsv_floats;
mod hsv_pillow;
mod hue_loop;
mod jitter_opencv;
mod jitter_pillow;
mod lab;
mod lanes;
#[cfg(target_arch = "x86_64")]
mod lanes_x86;
mod luma;
mod mean;
mod pass;
mod pointwise;
mod principal;
mod table;
mod tables;
mod whole;

use super::op::Refusal;
use crate::image::{Depth, Form};

/// A range of the contract, which its rule has checked: two numbers, the first not above the second.
fn range(name: &str, values: &[f64]) -> Result<[f64; 2], Refusal> {
    <[f64; 2]>::try_from(values).map_err(|_| Refusal::new(name, format!("{values:?}"), "two numbers [low, high]"))
}

/// A range of whole numbers of the contract, which its rule has checked.
fn whole_range(name: &str, values: &[u32]) -> Result<[u32; 2], Refusal> {
    let range = <[u32; 2]>::try_from(values).ok().filter(|[low, high]| low <= high);
    range.ok_or_else(|| Refusal::new(name, format!("{values:?}"), "two whole numbers [low, high]"))
}

/// The value of full brightness: what formulas of colour are relative to.
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

/// Refuses images of floats, for methods that are defined on 8 bits only.
fn eight_bits_only(input: Form, method: &str) -> Result<(), Refusal> {
    match input.depth {
        Depth::U8 => Ok(()),
        Depth::F32 { .. } => {
            let expected = "an image of 8 bits: put it before `to_float`, or choose another method";
            Err(Refusal::new("method", format!("{method} on floats"), expected))
        }
    }
}

/// Refuses images of one channel, for methods that are defined on three only.
fn three_channels_only(input: Form, method: &str) -> Result<(), Refusal> {
    match input.channels {
        3 => Ok(()),
        n => {
            Err(Refusal::new("method", format!("{method} on an image of {n} channel"), "3 channels, or another method"))
        }
    }
}

#[cfg(test)]
mod tests;
