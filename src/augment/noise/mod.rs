pub(super) mod downscale;
pub(super) mod gauss_noise;
pub(super) mod iso_noise;
pub(super) mod jpeg;
pub(super) mod multiplicative_noise;
pub(super) mod salt_and_pepper;
pub(super) mod shot_noise;

/// Random numbers for every pixel.
mod field;
/// Counted events.
mod poisson;

use super::filter::{full_scale, range, recycle, through_bytes, whole_range};

pub(super) use field::Noise;

/// `x` clamped to 0 to 255, its fraction cut off; NaN is 0.
#[inline(always)]
#[allow(unsafe_code)]
fn cut(x: f32) -> u8 {
    let clamped = clamp(x, 255.0);
    // SAFETY: from 0 to 255. A checked cast does not become vectors.
    unsafe { clamped.to_int_unchecked::<i32>() as u8 }
}

/// `x` clamped to 0 to `full`; NaN is 0.
#[inline(always)]
fn clamp(x: f32, full: f32) -> f32 {
    let x = if x > 0.0 { x } else { 0.0 };
    if x < full { x } else { full }
}

#[cfg(test)]
mod hostile_tests;
#[cfg(test)]
mod tests;
