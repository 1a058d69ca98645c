use feedline_proto::v1;
use serde::{Deserialize, Serialize};

use super::{full_scale, range};
use crate::augment::op::{About, Built, Op, Refusal, Scratch, Targets};
use crate::image::{Form, Image, ValuesMut};
use crate::sample::Sample;
use crate::seed::{Field, Rng};

/// Makes some pixels white and some black.
struct SaltAndPepper {
    amount: [f64; 2],
    salt_vs_pepper: [f64; 2],
    full: f32,
}

/// What is drawn.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Grains {
    amount: f64,
    salt_vs_pepper: f64,
    positions: Positions,
}

/// Numbers of pixels, rows top down, all different; the white ones first.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(untagged)]
enum Positions {
    /// Drawn from this seed, below 2^53.
    Seed(u64),
    /// These, `amount` or not.
    Given(Vec<u32>),
}

pub(in crate::augment) const ABOUT: About = About {
    version: 1,
    equals: "Makes some pixels white and some black: `albumentations.SaltAndPepper` with the same pixels. Exact.",
    targets: Targets::Image,
    example: "salt_and_pepper = { amount = [0.05, 0.1], p = 1 }",
};

pub(in crate::augment) fn from_message(message: &v1::SaltAndPepper, input: Form) -> Result<Built, Refusal> {
    let v1::SaltAndPepper { amount, salt_vs_pepper, p } = message;
    let op = SaltAndPepper {
        amount: range("amount", amount)?,
        salt_vs_pepper: range("salt_vs_pepper", salt_vs_pepper)?,
        full: full_scale(input)?,
    };
    Built::maybe(op, *p, input, input)
}

impl Op for SaltAndPepper {
    type Params = Grains;
    const NAME: &'static str = "salt_and_pepper";

    fn draw(&self, rng: &mut Rng, _: &Sample<'_>) -> Grains {
        let amount = rng.uniform(self.amount);
        let salt_vs_pepper = rng.uniform(self.salt_vs_pepper);
        Grains { amount, salt_vs_pepper, positions: Positions::Seed(rng.bits() >> 11) }
    }

    fn apply<'a>(&self, grains: &Grains, mut image: Image<'a>, _: &mut Scratch) -> Image<'a> {
        let (area, channels, full) = (image.size().area(), image.channels(), self.full);
        let drawn;
        let positions = match &grains.positions {
            Positions::Seed(seed) => {
                drawn = different(*seed, area, grains.amount);
                &drawn
            }
            Positions::Given(given) => given,
        };
        // A cast makes 0 of what is below and of NaN.
        let salt = (positions.len() as f64 * grains.salt_vs_pepper) as usize;
        for (index, position) in positions.iter().enumerate() {
            let at = *position as usize * channels;
            match image.values_mut() {
                ValuesMut::U8(values) => {
                    let grain = if index < salt { 255 } else { 0 };
                    values.iter_mut().skip(at).take(channels).for_each(|x| *x = grain);
                }
                ValuesMut::F32(values) => {
                    let grain = if index < salt { full } else { 0.0 };
                    values.iter_mut().skip(at).take(channels).for_each(|x| *x = grain);
                }
            }
        }
        image
    }
}

/// A fraction of the numbers below `area`, in random order (Fisher and Yates, from the start, as far as it is wanted).
fn different(seed: u64, area: u64, amount: f64) -> Vec<u32> {
    let area = u32::try_from(area).unwrap_or(u32::MAX);
    let count = ((f64::from(area) * amount) as u32).min(area);
    let field = Field::new(seed);
    let mut numbers: Vec<u32> = (0..area).collect();
    for place in 0..count {
        let other = place + field.below(place, area - place);
        numbers.swap(place as usize, other as usize);
    }
    numbers.truncate(count as usize);
    numbers
}
