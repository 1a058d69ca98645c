use feedline_proto::v1;
use serde::{Deserialize, Serialize};

use super::{Noise, full_scale, poisson, range, recycle};
use crate::augment::op::{About, Built, Op, Refusal, Scratch, Targets};
use crate::image::{Form, Image, ValuesMut};
use crate::sample::Sample;
use crate::seed::Rng;

/// Noise of counted photons.
struct ShotNoise {
    scale: [f64; 2],
    full: f32,
}

/// What is drawn.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Drawn {
    scale: f64,
    /// A seed, or how many photons each value has.
    photons: Noise,
}

pub(in crate::augment) const ABOUT: About = About {
    version: 1,
    equals: "Noise of counted photons: `albumentations.ShotNoise`, light being the value to the power of 2.2. With the same numbers of
photons, 8 bits within 1 and floats within 1e-5 of the full scale. Numbers are of Poisson's distribution; where more than 64 are
expected, of the normal one that comes close to it.",
    targets: Targets::Image,
    example: "shot_noise = { scale = [0.05, 0.1], p = 1 }",
};

pub(in crate::augment) fn from_message(message: &v1::ShotNoise, input: Form) -> Result<Built, Refusal> {
    let op = ShotNoise { scale: range("scale", &message.scale)?, full: full_scale(input)? };
    Built::maybe(op, message.p, input, input)
}

impl Op for ShotNoise {
    type Params = Drawn;
    const NAME: &'static str = "shot_noise";

    fn draw(&self, rng: &mut Rng, _: &Sample<'_>) -> Drawn {
        let scale = rng.uniform(self.scale);
        Drawn { scale, photons: Noise::draw(rng) }
    }

    fn apply<'a>(&self, drawn: &Drawn, mut image: Image<'a>, scratch: &mut Scratch) -> Image<'a> {
        let scale = if drawn.scale > 0.0 { drawn.scale } else { f64::MIN_POSITIVE };
        let length = image.size().area() as usize * image.channels();
        let numbers = drawn.photons.units(length, scratch);
        let expected = |x: f64| libm::pow(x, 2.2) / scale + 1e-6;
        let seen = |photons: f64| libm::pow((photons * scale).clamp(0.0, 1.0), 1.0 / 2.2);
        let seed = match &drawn.photons {
            Noise::Seed(seed) => Some(*seed),
            Noise::Given(_) => None,
        };
        let photons = |expected: f64, index: usize, number: f32| match seed {
            Some(seed) => poisson::count(expected, number, || poisson::normals_beside(seed).normal(index as u32)),
            None => f64::from(number),
        };
        match image.values_mut() {
            ValuesMut::U8(values) => {
                let table: Vec<f64> = (0..256).map(|x| expected(f64::from(x) / 255.0)).collect();
                let byte = |photons: f64| (seen(photons) * 255.0).round_ties_even() as u8;
                // Few photons are the usual case.
                let few: Vec<u8> = (0..FEW).map(|photons| byte(f64::from(photons))).collect();
                for (index, (x, number)) in values.iter_mut().zip(&numbers).enumerate() {
                    let photons = photons(table[usize::from(*x)], index, *number);
                    let whole = photons as usize;
                    *x = match few.get(whole).filter(|_| whole as f64 == photons) {
                        Some(byte) => *byte,
                        None => byte(photons),
                    };
                }
            }
            ValuesMut::F32(values) => {
                let full = f64::from(self.full);
                for (index, (x, number)) in values.iter_mut().zip(&numbers).enumerate() {
                    let light = expected((f64::from(*x) / full).clamp(0.0, 1.0));
                    *x = (seen(photons(light, index, *number)) * full) as f32;
                }
            }
        }
        recycle(numbers, scratch);
        image
    }
}

/// Photons whose brightness is kept in a table.
const FEW: u32 = 256;
