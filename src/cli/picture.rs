use super::Failure;
use crate::image::{Depth, Image, Pixels, Size};
use crate::sheet::{Rgb8View, Tile};

/// An image with its caption, ready to be drawn.
pub(super) struct Picture {
    pub(super) size: Size,
    pub(super) pixels: Vec<u8>,
    pub(super) caption: Vec<String>,
}

impl Picture {
    /// As a sheet takes it.
    pub(super) fn tile(&self) -> Result<Tile<'_>, Failure> {
        Ok(Tile { image: Rgb8View::new(self.size, &self.pixels)?, caption: self.caption.clone() })
    }
}

/// An image as the eye expects it: floats are scaled back to 0 to 255; after a normalisation, whose scale has no meaning to
/// the eye, from the smallest value to the largest.
pub(super) fn rgb(image: &Image<'_>, depth: Depth) -> Vec<u8> {
    let values: Vec<u8> = match image.pixels() {
        Pixels::U8(values) => values.to_vec(),
        Pixels::F32(values) => {
            let (low, high) = match depth {
                Depth::F32 { full: Some(full) } => (0.0, full),
                _ => values.iter().fold((f32::MAX, f32::MIN), |(low, high), x| (low.min(*x), high.max(*x))),
            };
            let scale = 255.0 / (high - low).max(f32::MIN_POSITIVE);
            values.iter().map(|x| ((x - low) * scale).round().clamp(0.0, 255.0) as u8).collect()
        }
    };
    if image.channels() == 1 { values.into_iter().flat_map(|x| [x; 3]).collect() } else { values }
}

/// The depth of an image that nothing else is known of: floats are taken to be at the scale that their values fit.
pub(super) fn likely_depth(image: &Image<'_>) -> Depth {
    let Pixels::F32(values) = image.pixels() else { return Depth::U8 };
    let within = |high: f32| values.iter().all(|x| (0.0..=high).contains(x));
    let full = if within(1.0) { Some(1.0) } else { within(255.0).then_some(255.0) };
    Depth::F32 { full }
}
