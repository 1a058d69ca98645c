use feedline_proto::v1;

use crate::augment::finish::Step;
use crate::augment::op::{About, Built, Op, Refusal, Scratch, Targets};
use crate::image::{Depth, Form, Image, Pixels};
use crate::sample::Sample;
use crate::seed::Rng;

/// Makes 32-bit floats, each value divided by `divisor` in 32-bit floats.
pub(super) struct ToFloat {
    divisor: f32,
}

pub(in crate::augment) const ABOUT: About = About {
    version: 1,
    equals: "Makes 32-bit floats, each value divided by `divisor` in 32-bit floats: `x / 255` of numpy, albumentations' `ToFloat`,
torchvision's `ToTensor`. Exact. torchvision's `to_dtype(float32, scale=True)` and `tf.image.convert_image_dtype` multiply by
the rounded 1/255 instead: within 6e-8.",
    targets: Targets::Image,
    example: "to_float = {}",
};

pub(in crate::augment) fn from_message(message: &v1::ToFloat, input: Form) -> Result<Built, Refusal> {
    let op = ToFloat::new(message);
    let full = match input.depth {
        Depth::U8 => Some(255.0 / op.divisor),
        Depth::F32 { full } => full.map(|full| full / op.divisor),
    };
    Built::always(op, Form { depth: Depth::F32 { full }, ..input })
}

impl ToFloat {
    pub(super) fn new(message: &v1::ToFloat) -> Self {
        ToFloat { divisor: message.divisor.unwrap_or(255.0) as f32 }
    }

    pub(super) fn value(&self, x: f32) -> f32 {
        x / self.divisor
    }
}

impl Op for ToFloat {
    type Params = ();
    const NAME: &'static str = "to_float";
    const WAITS: bool = true;

    fn draw(&self, _: &mut Rng, _: &Sample<'_>) {}

    fn step(&self, (): &()) -> Option<Step> {
        Some(Step::divide(self.divisor))
    }

    fn apply<'a>(&self, (): &(), image: Image<'a>, scratch: &mut Scratch) -> Image<'a> {
        let (size, channels) = (image.size(), image.channels());
        let Pixels::U8(values) = image.pixels() else {
            let mut image = image;
            Step::divide(self.divisor).apply(&mut image);
            return image;
        };
        let mut floats = scratch.floats(values.len());
        floats.iter_mut().zip(values.iter()).for_each(|(out, x)| *out = self.value(f32::from(*x)));
        scratch.recycle(image);
        Image::from_f32(size, channels, floats)
    }
}
