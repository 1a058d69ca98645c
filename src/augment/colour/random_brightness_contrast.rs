use feedline_proto::v1;
use serde::{Deserialize, Serialize};

use super::pointwise::{map, map_floats};
use super::{full_scale, mean, range};
use crate::augment::op::{About, Built, Op, Refusal, Scratch, Targets};
use crate::image::{Form, Image, ValuesMut};
use crate::sample::Sample;
use crate::seed::Rng;

/// A factor and a sum for every value.
struct RandomBrightnessContrast {
    brightness: [f64; 2],
    contrast: [f64; 2],
    by_max: bool,
    full: f32,
}

pub(in crate::augment) const ABOUT: About = About {
    version: 1,
    equals: "Every value times one plus a drawn contrast, plus a drawn brightness, clamped to 0 and the full scale; 8 bits: cut off.
`albumentations.RandomBrightnessContrast` without `ensure_safe_range`. Exact for 8 bits and, with `brightness_by_max`, for floats;
else floats are within 2e-6 of the full scale: the mean is summed in another order.",
    targets: Targets::Image,
    example: "random_brightness_contrast = { brightness_limit = [-0.3, 0.3], contrast_limit = [-0.3, 0.3], p = 1 }",
};

pub(in crate::augment) fn from_message(message: &v1::RandomBrightnessContrast, input: Form) -> Result<Built, Refusal> {
    let op = RandomBrightnessContrast {
        brightness: range("brightness_limit", &message.brightness_limit)?,
        contrast: range("contrast_limit", &message.contrast_limit)?,
        by_max: message.brightness_by_max.unwrap_or(true),
        full: full_scale(input)?,
    };
    Built::maybe(op, message.p, input, input)
}

/// What is drawn.
#[derive(Serialize, Deserialize)]
struct Drawn {
    /// What values are multiplied by.
    alpha: f64,
    /// What is added, as a fraction of the full scale or of the mean.
    beta: f64,
}

impl Op for RandomBrightnessContrast {
    type Params = Drawn;
    const NAME: &'static str = "random_brightness_contrast";

    fn draw(&self, rng: &mut Rng, _: &Sample<'_>) -> Drawn {
        let alpha = 1.0 + rng.uniform(self.contrast);
        Drawn { alpha, beta: rng.uniform(self.brightness) }
    }

    fn apply<'a>(&self, drawn: &Drawn, mut image: Image<'a>, _: &mut Scratch) -> Image<'a> {
        let (alpha, full) = (drawn.alpha as f32, f64::from(self.full));
        match image.values_mut() {
            ValuesMut::U8(values) => {
                let whole = if self.by_max { full } else { mean::of_bytes(values, 1, 0) };
                let offset = (drawn.beta * whole) as f32;
                map(values, |x| x * alpha + offset);
            }
            ValuesMut::F32(values) => {
                let whole = if self.by_max { full } else { mean::of_floats(values, 1, |pixel| pixel[0]) };
                let (alpha, offset) = (f64::from(alpha), drawn.beta * whole);
                map_floats(values, |x| {
                    let x = f64::from(x) * alpha + offset;
                    let x = if x > 0.0 { x } else { 0.0 };
                    (if x < full { x } else { full }) as f32
                });
            }
        }
        image
    }
}
