pub(super) mod coarse_dropout;
pub(super) mod grid_dropout;
pub(super) mod pixel_dropout;
pub(super) mod random_erasing;

/// Rectangles without the image.
mod hole;

use super::filter::{full_scale, range, recycle, whole_range};

#[cfg(test)]
mod tests;
