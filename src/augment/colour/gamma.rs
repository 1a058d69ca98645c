use feedline_proto::v1::{self, GammaMethod};

use super::pointwise::{clamp, cut};
use super::table::Table;
use super::{full_scale, range};
use crate::augment::op::{About, Built, Op, Refusal, Scratch, Targets};
use crate::image::{Form, Image, ValuesMut};
use crate::sample::Sample;
use crate::seed::Rng;

/// Raises every value to a power.
struct Gamma {
    range: [f64; 2],
    gain: f64,
    method: GammaMethod,
    full: f32,
}

pub(in crate::augment) const ABOUT: About = About {
    version: 1,
    equals: "Raises every value, as a fraction of the full scale, to a power, times a gain. Powers of libraries differ in their last
bit: an 8-bit value whose exact result is almost a whole number may differ by 1, floats by 1e-6.

- torchvision: `adjust_gamma` of a tensor.
- tensorflow: `tf.image.adjust_gamma`; floats are not clipped.
- albumentations: `RandomGamma`, whose `gamma_limit` is 100 times `gamma`; no gain.",
    targets: Targets::Image,
    example: "gamma = { gamma = [0.5, 2.0] }",
};

pub(in crate::augment) fn from_message(message: &v1::Gamma, input: Form) -> Result<Built, Refusal> {
    let method = match message.method() {
        GammaMethod::Unspecified => GammaMethod::Torchvision,
        method => method,
    };
    let gain = message.gain.unwrap_or(1.0);
    if method == GammaMethod::Albumentations && gain != 1.0 {
        return Err(Refusal::new("gain", gain, "1 with the method albumentations, which has none"));
    }
    let op = Gamma { range: range("gamma", &message.gamma)?, gain, method, full: full_scale(input)? };
    Built::maybe(op, message.p, input, input)
}

impl Op for Gamma {
    /// The power.
    type Params = f64;
    const NAME: &'static str = "gamma";

    fn draw(&self, rng: &mut Rng, _: &Sample<'_>) -> f64 {
        rng.uniform(self.range)
    }

    fn apply<'a>(&self, gamma: &f64, mut image: Image<'a>, _: &mut Scratch) -> Image<'a> {
        let full = self.full;
        match image.values_mut() {
            ValuesMut::U8(values) => self.table(*gamma).apply(values),
            ValuesMut::F32(values) => {
                let (power, gain) = (*gamma as f32, self.gain as f32);
                for x in values {
                    let raised = libm::powf(*x / full, power);
                    *x = match self.method {
                        GammaMethod::Tensorflow => gain * raised * full,
                        GammaMethod::Albumentations => clamp(raised, 1.0) * full,
                        _ if gain == 1.0 => raised * full,
                        _ => clamp(raised * gain, 1.0) * full,
                    };
                }
            }
        }
        image
    }
}

impl Gamma {
    fn table(&self, gamma: f64) -> Table {
        let (power, gain) = (gamma as f32, self.gain as f32);
        match self.method {
            GammaMethod::Albumentations => Table::new(std::array::from_fn(|x| {
                // A cast cuts off and saturates.
                (libm::pow(x as f64 * (1.0 / 255.0), gamma) * 255.0) as u8
            })),
            GammaMethod::Tensorflow => Table::of(|x| gain * libm::powf(x * (1.0 / 255.0), power) * 255.5),
            _ if gain == 1.0 => Table::of(|x| libm::powf(x * (1.0 / 255.0), power) * 255.999),
            _ => Table::new(std::array::from_fn(|x| {
                cut(clamp(libm::powf(x as f32 * (1.0 / 255.0), power) * gain, 1.0) * 255.999)
            })),
        }
    }
}
