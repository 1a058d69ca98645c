use feedline_proto::v1::{self, SaturationMethod};

use super::pass::{self, Step};
use super::pointwise::{clamp, cut};
use super::{eight_bits_only, full_scale, grayscale, hue_loop, range, three_channels_only};
use crate::augment::op::{About, Built, Op, Refusal, Scratch, Targets};
use crate::image::{Form, Image, ValuesMut};
use crate::sample::Sample;
use crate::seed::Rng;
use crate::simd::Kernel;

/// Raises or lowers the saturation.
struct Saturation {
    range: [f64; 2],
    method: SaturationMethod,
    full: f32,
}

pub(in crate::augment) const ABOUT: About = About {
    version: 1,
    equals: "Raises or lowers the saturation.

- torchvision: `adjust_saturation` of a tensor; an image of one channel stays as it is. Exact where torch does not fuse
  multiplications with additions; where it does (x86-64 with AVX2), an 8-bit value whose exact result is a whole number may
  differ by 1 (with a round factor such as 1.4 one value in a hundred, with a drawn one hardly any), and floats by 1e-7.
- tensorflow: `tf.image.adjust_saturation`. 8 bits exact, floats within 2e-6; refuses one channel, as it does.
- pillow: `ImageEnhance.Color`; an image of one channel stays as it is. Exact.",
    targets: Targets::Image,
    example: "saturation = { factor = [0.0, 2.0] }",
};

pub(in crate::augment) fn from_message(message: &v1::Saturation, input: Form) -> Result<Built, Refusal> {
    let method = match message.method() {
        SaturationMethod::Unspecified => SaturationMethod::Torchvision,
        method => method,
    };
    match method {
        SaturationMethod::Pillow => eight_bits_only(input, "pillow")?,
        SaturationMethod::Tensorflow => three_channels_only(input, "tensorflow")?,
        _ => {}
    }
    let op = Saturation { range: range("factor", &message.factor)?, method, full: full_scale(input)? };
    Built::maybe(op, message.p, input, input)
}

/// The image with another saturation, for policies.
pub(in crate::augment) fn adjusted<'a>(
    image: Image<'a>,
    factor: f64,
    (method, full): (SaturationMethod, f32),
    scratch: &mut Scratch,
) -> Image<'a> {
    Saturation { range: [factor; 2], method, full }.apply(&factor, image, scratch)
}

impl Op for Saturation {
    type Params = f64;
    const NAME: &'static str = "saturation";

    fn draw(&self, rng: &mut Rng, _: &Sample<'_>) -> f64 {
        rng.uniform(self.range)
    }

    fn apply<'a>(&self, factor: &f64, mut image: Image<'a>, _: &mut Scratch) -> Image<'a> {
        if image.channels() != 3 {
            return image;
        }
        match (image.values_mut(), self.method) {
            (ValuesMut::U8(values), SaturationMethod::Pillow) => {
                pillow(values, *factor);
            }
            (values, SaturationMethod::Tensorflow) => {
                hue_loop::tensorflow_saturation(values, *factor as f32, self.full)
            }
            (ValuesMut::U8(values), _) => pass::apply(values, &[Step::saturation(*factor)]),
            (ValuesMut::F32(values), _) => torchvision_floats(values, *factor, self.full),
        }
        image
    }
}

/// `ImageEnhance.Color` on RGB.
pub(super) fn pillow(values: &mut [u8], factor: f64) {
    Pillow { pixels: values.as_chunks_mut().0, factor: factor as f32 }.dispatch();
}

pub(super) fn torchvision_floats(values: &mut [f32], factor: f64, full: f32) {
    let (ratio, rest) = (factor as f32, (1.0 - factor) as f32);
    Blend { pixels: values.as_chunks_mut().0, ratio, rest, full }.dispatch();
}

struct Blend<'a> {
    pixels: &'a mut [[f32; 3]],
    ratio: f32,
    rest: f32,
    full: f32,
}

impl Kernel for Blend<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for pixel in self.pixels {
            let gray = grayscale::torchvision_float(pixel[0], pixel[1], pixel[2]);
            *pixel = pixel.map(|x| clamp(x * self.ratio + gray * self.rest, self.full));
        }
    }
}

struct Pillow<'a> {
    pixels: &'a mut [[u8; 3]],
    factor: f32,
}

impl Kernel for Pillow<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for pixel in self.pixels {
            let gray = f32::from(grayscale::pillow(*pixel));
            *pixel = pixel.map(|x| cut(gray + self.factor * (f32::from(x) - gray)));
        }
    }
}
