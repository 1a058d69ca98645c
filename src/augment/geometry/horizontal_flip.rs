use feedline_proto::v1;

use crate::augment::op::{About, Built, Op, Refusal, Scratch, Targets};
use crate::image::{Form, Image, Size, ValuesMut};
use crate::sample::{Geometry, Sample};
use crate::seed::Rng;

/// Mirrors left and right.
struct HorizontalFlip;

pub(in crate::augment) const ABOUT: About = About {
    version: 1,
    equals: "Mirrors left and right: `tf.image.flip_left_right`, `albumentations.HorizontalFlip`, torchvision's `hflip`. Exact.",
    targets: Targets::All,
    example: "horizontal_flip = { p = 1 }",
};

pub(in crate::augment) fn from_message(message: &v1::HorizontalFlip, input: Form) -> Result<Built, Refusal> {
    Built::maybe(HorizontalFlip, message.p, input, input)
}

impl Op for HorizontalFlip {
    type Params = ();
    const NAME: &'static str = "horizontal_flip";

    fn draw(&self, _: &mut Rng, _: &Sample<'_>) {}

    fn apply<'a>(&self, (): &(), image: Image<'a>, _: &mut Scratch) -> Image<'a> {
        mirrored_rows(image)
    }

    fn geometry(&self, (): &(), size: Size) -> Option<Geometry> {
        Some(Geometry::mirror_x(size))
    }
}

/// The image with left and right exchanged.
pub(super) fn mirrored_rows(mut image: Image<'_>) -> Image<'_> {
    let (width, channels) = (image.size().width as usize, image.channels());
    match image.values_mut() {
        ValuesMut::U8(values) => mirror_rows(values, width, channels),
        ValuesMut::F32(values) => mirror_rows(values, width, channels),
    }
    image
}

fn mirror_rows<T: Copy>(values: &mut [T], width: usize, channels: usize) {
    match channels {
        3 => values.chunks_exact_mut(width * 3).for_each(|row| row.as_chunks_mut::<3>().0.reverse()),
        _ => values.chunks_exact_mut(width).for_each(<[T]>::reverse),
    }
}
