use feedline_proto::v1;

use crate::augment::finish::Step;
use crate::augment::op::{About, Built, Op, Refusal, Scratch, Targets};
use crate::image::{Depth, Form, Image};
use crate::sample::Sample;
use crate::seed::Rng;

/// `(x - mean) / std` per channel in 32-bit floats.
pub(super) struct Normalize {
    mean: Vec<f32>,
    std: Vec<f32>,
}

pub(in crate::augment) const ABOUT: About = About {
    version: 1,
    equals: "`(x - mean) / std` per channel in 32-bit floats: torchvision's `normalize`. Exact; albumentations' `Normalize` after
`to_float` within 2e-6, since it multiplies by the reciprocal.",
    targets: Targets::Image,
    example: "normalize = {}",
};

pub(in crate::augment) fn from_message(message: &v1::Normalize, input: Form) -> Result<Built, Refusal> {
    if input.depth == Depth::U8 {
        return Err(Refusal::new("", "applied to 8-bit images", "floats: put `to_float` before it"));
    }
    for (name, values) in [("mean", &message.mean), ("std", &message.std)] {
        if values.len() != input.channels {
            let expected = format!("{} numbers, one for each channel", input.channels);
            return Err(Refusal::new(name, format!("{values:?}"), expected));
        }
    }
    Built::always(Normalize::new(message), Form { depth: Depth::F32 { full: None }, ..input })
}

impl Normalize {
    pub(super) fn new(message: &v1::Normalize) -> Self {
        let floats = |values: &[f64]| values.iter().map(|x| *x as f32).collect();
        Normalize { mean: floats(&message.mean), std: floats(&message.std) }
    }

    pub(super) fn value(&self, x: f32, channel: usize) -> f32 {
        (x - self.mean[channel]) / self.std[channel]
    }
}

impl Op for Normalize {
    type Params = ();
    const NAME: &'static str = "normalize";
    const WAITS: bool = true;

    fn draw(&self, _: &mut Rng, _: &Sample<'_>) {}

    fn step(&self, (): &()) -> Option<Step> {
        // Of one channel the others say nothing.
        let three = |values: &[f32]| [0, 1, 2].map(|channel: usize| values[channel.min(values.len() - 1)]);
        Some(Step::Normalize(three(&self.mean), three(&self.std)))
    }

    fn apply<'a>(&self, (): &(), mut image: Image<'a>, _: &mut Scratch) -> Image<'a> {
        if let Some(step) = self.step(&()) {
            step.apply(&mut image);
        }
        image
    }
}
