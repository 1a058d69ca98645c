use std::sync::Arc;

use feedline_proto::v1;

use super::plan::Plan;
use crate::augment::op::{Built, Failed, Op, Refusal, Scratch};
use crate::augment::resources::{Resources, Unavailable};
use crate::augment::style::full_scale;
use crate::image::{Form, Image, Pixels};
use crate::sample::Sample;
use crate::seed::Rng;

/// Runs a model.
struct Onnx {
    plan: Arc<Plan>,
    /// What a value is multiplied by, and what is added then, before the model and after it, per channel.
    before: [Line; 3],
    after: [Line; 3],
    full: f32,
    /// For what it says when it fails.
    name: String,
}

/// `factor * x + offset`.
#[derive(Clone, Copy)]
struct Line {
    factor: f32,
    offset: f32,
}

pub(super) fn built(message: &v1::Onnx, input: Form, resources: &dyn Resources) -> Result<Built, Refusal> {
    let full = full_scale(input)?;
    let size = input.fixed().ok_or_else(|| {
        let found = format!("on images of {} to {}", input.smallest, input.largest);
        Refusal::new("", found, "images of one size: put a resize or a crop before it")
    })?;
    let (channels, height, width) = (input.channels, size.height as usize, size.width as usize);
    let shape = [1, channels, height, width];
    let per_channel = |field: &str, values: &[f64], default: f64| match values {
        [] => Ok([default; 3]),
        [one] => Ok([*one; 3]),
        [r, g, b] if channels == 3 => Ok([*r, *g, *b]),
        other => {
            Err(Refusal::new(field, format!("{} numbers", other.len()), format!("1, or {channels}, one per channel")))
        }
    };
    let (mean, std) = (per_channel("mean", &message.mean, 0.0)?, per_channel("std", &message.std, 1.0)?);
    let or = |values: &[f64], other: &[f64]| if values.is_empty() { other.to_vec() } else { values.to_vec() };
    let output_mean = per_channel("output_mean", &or(&message.output_mean, &message.mean), 0.0)?;
    let output_std = per_channel("output_std", &or(&message.output_std, &message.std), 1.0)?;
    let scale = message.scale.unwrap_or(1.0);
    let output_scale = message.output_scale.unwrap_or(scale);
    let refused = |Unavailable { found, expected }| Refusal::new("model", found, expected);
    let model = resources.model(&message.model).map_err(refused)?;
    let plan = model.plans.get(&model.file, shape).map_err(refused)?;
    resources.keep(plan.bytes).map_err(refused)?;
    let full_value = f64::from(full);
    let op = Onnx {
        plan,
        before: std::array::from_fn(|c| Line {
            factor: (scale / full_value / std[c]) as f32,
            offset: (-mean[c] / std[c]) as f32,
        }),
        after: std::array::from_fn(|c| Line {
            factor: (output_std[c] / output_scale * full_value) as f32,
            offset: (output_mean[c] / output_scale * full_value) as f32,
        }),
        full,
        name: model.name.clone(),
    };
    Built::maybe(op, message.p, input, input)
}

impl Op for Onnx {
    type Params = ();
    const NAME: &'static str = "onnx";

    fn draw(&self, _: &mut Rng, _: &Sample<'_>) {}

    fn apply<'a>(&self, (): &(), image: Image<'a>, scratch: &mut Scratch) -> Image<'a> {
        let (size, channels) = (image.size(), image.channels());
        let area = size.area() as usize;
        // Where the model has the value that stands at `at` of the image.
        let place = |at: usize| at % channels * area + at / channels;
        let mut values = scratch.floats(area * channels);
        let mut put = |at: usize, x: f32| {
            let Line { factor, offset } = self.before[at % channels];
            values[place(at)] = x * factor + offset;
        };
        match image.pixels() {
            Pixels::U8(pixels) => pixels.iter().enumerate().for_each(|(at, x)| put(at, f32::from(*x))),
            Pixels::F32(pixels) => pixels.iter().enumerate().for_each(|(at, x)| put(at, *x)),
        }
        // It worked when the loader was described; what a model looks up or divides by may depend on the image.
        let failed = |error| Failed { op: Self::NAME, cause: format!("model {}: {error}", self.name) };
        let made = self.plan.run(&values).unwrap_or_else(|error| failed(error).unwind());
        scratch.recycle(Image::from_f32(size, channels, values));
        let limited = |at: usize| {
            let Line { factor, offset } = self.after[at % channels];
            let x = made[place(at)] * factor + offset;
            // NaN becomes 0.
            if x > 0.0 { x.min(self.full) } else { 0.0 }
        };
        match image.into_pixels() {
            Pixels::U8(mut pixels) => {
                let rounded = |at: usize| limited(at).round_ties_even() as u8;
                pixels.to_mut().iter_mut().enumerate().for_each(|(at, x)| *x = rounded(at));
                Image::from_u8(size, channels, pixels)
            }
            Pixels::F32(mut pixels) => {
                pixels.iter_mut().enumerate().for_each(|(at, x)| *x = limited(at));
                Image::from_f32(size, channels, pixels)
            }
        }
    }
}
