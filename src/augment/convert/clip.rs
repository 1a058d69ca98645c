use feedline_proto::v1;

use crate::augment::finish::Step;
use crate::augment::op::{About, Built, Op, Refusal, Scratch, Targets};
use crate::image::{Depth, Form, Image, ValuesMut};
use crate::sample::Sample;
use crate::seed::Rng;

/// Limits values to a range.
struct Clip {
    min: f32,
    max: f32,
}

pub(in crate::augment) const ABOUT: About = About {
    version: 1,
    equals: "Limits values to a range: `tf.clip_by_value`, `numpy.clip`. Exact. The limits of 8-bit images are whole numbers, and their
default maximum, 1, is refused: it would leave nothing of the image.",
    targets: Targets::Image,
    example: "clip = { min = 50, max = 200 }",
};

pub(in crate::augment) fn from_message(message: &v1::Clip, input: Form) -> Result<Built, Refusal> {
    let (min, max) = (message.min.unwrap_or(0.0), message.max.unwrap_or(1.0));
    if min.is_nan() || max.is_nan() || min > max {
        return Err(Refusal::new("min", min, format!("at most `max`, which is {max}")));
    }
    if input.depth == Depth::U8 {
        let whole = |x: f64| x.fract() == 0.0 && (0.0..=255.0).contains(&x);
        if !whole(min) {
            return Err(Refusal::new("min", min, "a whole number from 0 to 255 for 8-bit images"));
        }
        if !whole(max) || max <= 1.0 {
            return Err(Refusal::new(
                "max",
                max,
                "a whole number from 2 to 255 for 8-bit images, or `to_float` before",
            ));
        }
    }
    Built::always(Clip { min: min as f32, max: max as f32 }, input)
}

impl Op for Clip {
    type Params = ();
    const NAME: &'static str = "clip";
    const WAITS: bool = true;

    fn draw(&self, _: &mut Rng, _: &Sample<'_>) {}

    fn step(&self, (): &()) -> Option<Step> {
        Some(Step::clip(self.min, self.max))
    }

    fn apply<'a>(&self, (): &(), mut image: Image<'a>, _: &mut Scratch) -> Image<'a> {
        match image.values_mut() {
            ValuesMut::U8(values) => {
                let (min, max) = (self.min as u8, self.max as u8);
                values.iter_mut().for_each(|x| *x = (*x).clamp(min, max));
            }
            ValuesMut::F32(_) => Step::clip(self.min, self.max).apply(&mut image),
        }
        image
    }
}
