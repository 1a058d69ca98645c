use feedline_proto::v1;
use serde::{Deserialize, Serialize};

use super::by_bytes::{Conversion, by_bytes};
use super::full_scale;
use super::table::Table;
use super::tables::Tables;
use crate::augment::op::{About, Built, Op, Refusal, Scratch, Targets};
use crate::image::{Form, Image, ValuesMut};
use crate::sample::Sample;
use crate::seed::Rng;

/// Bends the curve from dark to light.
struct RandomToneCurve {
    scale: f64,
    per_channel: bool,
    full: f32,
}

pub(in crate::augment) const ABOUT: About = About {
    version: 1,
    equals: "Bends the curve from dark to light: a Bezier curve with two control points, whose heights are drawn and clamped to 0 and 1.
`albumentations.RandomToneCurve`. Exact; floats by way of 8 bits.",
    targets: Targets::Image,
    example: "random_tone_curve = { scale = 0.3, per_channel = true, p = 1 }",
};

pub(in crate::augment) fn from_message(message: &v1::RandomToneCurve, input: Form) -> Result<Built, Refusal> {
    let op = RandomToneCurve {
        scale: message.scale.unwrap_or(0.1),
        per_channel: message.per_channel.unwrap_or(false),
        full: full_scale(input)?,
    };
    Built::maybe(op, message.p, input, input)
}

/// Heights of the two control points, for each channel.
#[derive(Serialize, Deserialize)]
struct Drawn {
    low_y: [f64; 3],
    high_y: [f64; 3],
}

impl Op for RandomToneCurve {
    type Params = Drawn;
    const NAME: &'static str = "random_tone_curve";

    fn draw(&self, rng: &mut Rng, _: &Sample<'_>) -> Drawn {
        let mut heights = |middle: f64| {
            let mut height = |_| (middle + rng.normal() * self.scale).clamp(0.0, 1.0);
            if self.per_channel { [0; 3].map(height) } else { [height(0); 3] }
        };
        Drawn { low_y: heights(0.25), high_y: heights(0.75) }
    }

    fn apply<'a>(&self, drawn: &Drawn, mut image: Image<'a>, scratch: &mut Scratch) -> Image<'a> {
        let channels = image.channels();
        match image.values_mut() {
            ValuesMut::U8(values) => drawn.apply(values, channels),
            ValuesMut::F32(values) => {
                let change = |values: &mut [u8]| drawn.apply(values, channels);
                by_bytes(values, self.full, Conversion::Albumentations, scratch, change);
            }
        }
        image
    }
}

impl Drawn {
    fn apply(&self, values: &mut [u8], channels: usize) {
        let ([r, g, b], [x, y, z]) = (self.low_y, self.high_y);
        Tables([curve(r, x), curve(g, y), curve(b, z)]).apply(values, channels);
    }
}

/// The curve from 0 to 1 through control points of these heights.
fn curve(low: f64, high: f64) -> Table {
    Table::new(std::array::from_fn(|x| {
        let t = if x == 255 { 1.0 } else { x as f64 * (1.0 / 255.0) };
        let rest = 1.0 - t;
        let height = 3.0 * (rest * rest) * t * low + 3.0 * rest * (t * t) * high + t * t * t;
        // A cast saturates.
        (height * 255.0).round_ties_even() as u8
    }))
}
