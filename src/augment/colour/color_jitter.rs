use feedline_proto::v1::{self, ColorJitterMethod};
use serde::{Deserialize, Serialize};

use super::pass::{self, Step};
use super::pointwise::{clamp, map_floats};
use super::{contrast, eight_bits_only, full_scale, hue_loop, jitter_opencv, jitter_pillow, range, saturation};
use crate::augment::op::{About, Built, Op, Refusal, Scratch, Targets};
use crate::image::{Form, Image, ValuesMut};
use crate::sample::Sample;
use crate::seed::Rng;

/// Brightness, contrast, saturation and hue, in an order drawn per sample.
struct ColorJitter {
    brightness: Option<[f64; 2]>,
    contrast: Option<[f64; 2]>,
    saturation: Option<[f64; 2]>,
    hue: Option<[f64; 2]>,
    method: ColorJitterMethod,
    full: f32,
}

pub(in crate::augment) const ABOUT: About = About {
    version: 1,
    equals: "Brightness, contrast, saturation and hue, in an order drawn per sample. An image of one channel keeps its saturation and hue.

- torchvision: `ColorJitter` of tensors, each part within the tolerance of the op of its name.
- albumentations: `ColorJitter`, 8 bits exact where OpenCV does not fuse multiplications with additions; where it does, one value in
  a thousand may differ by 1, and the hue is of the exactness of `hue_saturation_value`. Floats within 3e-6 of the full scale.
- pillow: `ColorJitter` of Pillow images, which timm's `create_transform` has. Exact.",
    targets: Targets::Image,
    example: "color_jitter = { brightness = [0.6, 1.4], contrast = [0.6, 1.4], saturation = [0.6, 1.4], hue = [-0.1, 0.1] }",
};

pub(in crate::augment) fn from_message(message: &v1::ColorJitter, input: Form) -> Result<Built, Refusal> {
    if message.method() == ColorJitterMethod::Pillow {
        eight_bits_only(input, "pillow")?;
    }
    let part = |name, values: &[f64]| (!values.is_empty()).then(|| range(name, values)).transpose();
    let op = ColorJitter {
        brightness: part("brightness", &message.brightness)?,
        contrast: part("contrast", &message.contrast)?,
        saturation: part("saturation", &message.saturation)?,
        hue: part("hue", &message.hue)?,
        method: message.method(),
        full: full_scale(input)?,
    };
    Built::maybe(op, message.p, input, input)
}

/// What is drawn: the amount of each part that takes place, then the order of all four.
#[derive(Serialize, Deserialize)]
struct Drawn {
    brightness: Option<f64>,
    contrast: Option<f64>,
    saturation: Option<f64>,
    hue: Option<f64>,
    order: [Part; 4],
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Part {
    Brightness,
    Contrast,
    Saturation,
    Hue,
}

/// A part with its amount.
#[derive(Clone, Copy)]
pub(super) enum Change {
    Brightness(f64),
    Contrast(f64),
    Saturation(f64),
    Hue(f64),
}

impl Drawn {
    /// What is to be done, in order.
    fn changes(&self) -> impl Iterator<Item = Change> {
        self.order.iter().filter_map(|part| match part {
            Part::Brightness => self.brightness.map(Change::Brightness),
            Part::Contrast => self.contrast.map(Change::Contrast),
            Part::Saturation => self.saturation.map(Change::Saturation),
            Part::Hue => self.hue.map(Change::Hue),
        })
    }
}

impl Op for ColorJitter {
    type Params = Drawn;
    const NAME: &'static str = "color_jitter";

    fn draw(&self, rng: &mut Rng, _: &Sample<'_>) -> Drawn {
        let mut draw = |range: Option<[f64; 2]>| range.map(|range| rng.uniform(range));
        let [brightness, contrast, saturation, hue] =
            [draw(self.brightness), draw(self.contrast), draw(self.saturation), draw(self.hue)];
        let mut order = [Part::Brightness, Part::Contrast, Part::Saturation, Part::Hue];
        rng.shuffle(&mut order);
        Drawn { brightness, contrast, saturation, hue, order }
    }

    fn apply<'a>(&self, drawn: &Drawn, mut image: Image<'a>, _: &mut Scratch) -> Image<'a> {
        match self.method {
            ColorJitterMethod::Albumentations => jitter_opencv::apply(&mut image, drawn.changes(), self.full),
            ColorJitterMethod::Pillow => jitter_pillow::apply(&mut image, drawn.changes()),
            _ => apply(&mut image, drawn.changes(), self.full),
        }
        image
    }
}

/// Applies `changes`, in order, to an image whose full scale is `full`.
pub(super) fn apply(image: &mut Image<'_>, changes: impl Iterator<Item = Change>, full: f32) {
    let channels = image.channels();
    match image.values_mut() {
        ValuesMut::U8(values) if channels == 3 => rgb_bytes(values, changes),
        ValuesMut::U8(values) => gray_bytes(values, changes),
        ValuesMut::F32(values) => floats(values, channels, changes, full),
    }
}

/// Steps wait until the contrast needs the mean of what they make, or a turn of the hue the values: so three parts take two
/// passes over the pixels at most.
fn rgb_bytes(values: &mut [u8], changes: impl Iterator<Item = Change>) {
    let mut waiting = Vec::with_capacity(4);
    for change in changes {
        match change {
            Change::Brightness(factor) => waiting.push(Step::brightness(factor)),
            Change::Saturation(factor) => waiting.push(Step::saturation(factor)),
            Change::Contrast(factor) => {
                let sum = pass::apply_summing(values, &waiting);
                waiting.clear();
                waiting.push(Step::contrast(factor, pass::mean(sum, values.len())));
            }
            Change::Hue(delta) => {
                pass::apply(values, &waiting);
                waiting.clear();
                hue_loop::torchvision_hue(ValuesMut::U8(values), delta as f32, 255.0);
            }
        }
    }
    pass::apply(values, &waiting);
}

fn gray_bytes(values: &mut [u8], changes: impl Iterator<Item = Change>) {
    for change in changes {
        match change {
            Change::Brightness(factor) => super::pointwise::map(values, |x| x * factor as f32),
            Change::Contrast(factor) => contrast::torchvision_bytes(values, 1, factor),
            Change::Saturation(_) | Change::Hue(_) => {}
        }
    }
}

fn floats(values: &mut [f32], channels: usize, changes: impl Iterator<Item = Change>, full: f32) {
    for change in changes {
        match change {
            Change::Brightness(factor) => map_floats(values, |x| clamp(x * factor as f32, full)),
            Change::Contrast(factor) => contrast::torchvision_floats(values, channels, factor, full),
            Change::Saturation(_) | Change::Hue(_) if channels != 3 => {}
            Change::Saturation(factor) => saturation::torchvision_floats(values, factor, full),
            Change::Hue(delta) => hue_loop::torchvision_hue(ValuesMut::F32(values), delta as f32, full),
        }
    }
}
