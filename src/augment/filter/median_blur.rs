use feedline_proto::v1;

use super::{Sides, full_scale, median, odd, through_bytes};
use crate::augment::op::{About, Built, Op, Refusal, Scratch, Targets};
use crate::image::{Form, Image, ValuesMut};
use crate::sample::Sample;
use crate::seed::Rng;

/// Median of a square around each pixel.
struct MedianBlur {
    sides: Sides,
    full: f32,
}

pub(in crate::augment) const ABOUT: About = About {
    version: 1,
    equals: "Median of a square around each pixel, per channel: `albumentations.MedianBlur`, OpenCV's `medianBlur`. Exact; floats pass
through 8 bits, as there.",
    targets: Targets::Image,
    example: "median_blur = { kernel_size = [3, 7], p = 1 }",
};

pub(in crate::augment) fn from_message(message: &v1::MedianBlur, input: Form) -> Result<Built, Refusal> {
    let op = MedianBlur { sides: Sides::new("kernel_size", &message.kernel_size)?, full: full_scale(input)? };
    Built::maybe(op, message.p, input, input)
}

impl Op for MedianBlur {
    /// Side of the square in pixels.
    type Params = u32;
    const NAME: &'static str = "median_blur";

    fn draw(&self, rng: &mut Rng, _: &Sample<'_>) -> u32 {
        self.sides.draw(rng)
    }

    fn apply<'a>(&self, side: &u32, image: Image<'a>, scratch: &mut Scratch) -> Image<'a> {
        through_bytes(image, self.full, scratch, |mut image, scratch| {
            let (size, channels) = (image.size(), image.channels());
            if let ValuesMut::U8(values) = image.values_mut() {
                median::filter(values, size, channels, odd(*side), scratch);
            }
            image
        })
    }
}
