use feedline_proto::v1;

use crate::augment::op::{About, Built, Op, Refusal, Scratch, Targets};
use crate::image::{Form, Image, Size, ValuesMut};
use crate::sample::{Geometry, Sample};
use crate::seed::Rng;

/// Mirrors top and bottom.
struct VerticalFlip;

pub(in crate::augment) const ABOUT: About = About {
    version: 1,
    equals: "Mirrors top and bottom: `tf.image.flip_up_down`, `albumentations.VerticalFlip`, torchvision's `vflip`. Exact.",
    targets: Targets::All,
    example: "vertical_flip = { p = 1 }",
};

pub(in crate::augment) fn from_message(message: &v1::VerticalFlip, input: Form) -> Result<Built, Refusal> {
    Built::maybe(VerticalFlip, message.p, input, input)
}

impl Op for VerticalFlip {
    type Params = ();
    const NAME: &'static str = "vertical_flip";

    fn draw(&self, _: &mut Rng, _: &Sample<'_>) {}

    fn apply<'a>(&self, (): &(), image: Image<'a>, _: &mut Scratch) -> Image<'a> {
        mirrored_columns(image)
    }

    fn geometry(&self, (): &(), size: Size) -> Option<Geometry> {
        Some(Geometry::mirror_y(size))
    }
}

/// The image with top and bottom exchanged.
pub(super) fn mirrored_columns(mut image: Image<'_>) -> Image<'_> {
    let stride = image.size().width as usize * image.channels();
    match image.values_mut() {
        ValuesMut::U8(values) => mirror_columns(values, stride),
        ValuesMut::F32(values) => mirror_columns(values, stride),
    }
    image
}

fn mirror_columns<T>(values: &mut [T], stride: usize) {
    let rows = values.len() / stride;
    let (upper, lower) = values.split_at_mut(rows / 2 * stride);
    for (above, below) in upper.chunks_exact_mut(stride).zip(lower.rchunks_exact_mut(stride)) {
        above.swap_with_slice(below);
    }
}
