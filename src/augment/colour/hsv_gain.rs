use feedline_proto::v1;

use super::by_bytes::{Conversion, by_bytes};
use super::full_scale;
use super::hsv::HsvTables;
use super::table::Table;
use crate::augment::op::{About, Built, Op, Refusal, Scratch, Targets};
use crate::image::{Form, Image, ValuesMut};
use crate::sample::Sample;
use crate::seed::Rng;

/// Multiplies hue, saturation and value.
struct HsvGain {
    /// How far each gain may be from 1.
    most: [f64; 3],
    full: f32,
}

pub(in crate::augment) const ABOUT: About = About {
    version: 1,
    equals: "Multiplies hue (with wrap), saturation and value of OpenCV's HSV of 8 bits by gains of their own, cut off: the HSV gains of
YOLO, `hsv_h`, `hsv_s` and `hsv_v` of its configuration. An image of one channel takes the value alone. Of the exactness of
`hue_saturation_value`.",
    targets: Targets::Image,
    example: "hsv_gain = { hsv_h = 0.1 }",
};

pub(in crate::augment) fn from_message(message: &v1::HsvGain, input: Form) -> Result<Built, Refusal> {
    let most = [message.hsv_h.unwrap_or(0.015), message.hsv_s.unwrap_or(0.7), message.hsv_v.unwrap_or(0.4)];
    Built::maybe(HsvGain { most, full: full_scale(input)? }, message.p, input, input)
}

impl Op for HsvGain {
    /// The gains of hue, saturation and value.
    type Params = [f64; 3];
    const NAME: &'static str = "hsv_gain";

    fn draw(&self, rng: &mut Rng, _: &Sample<'_>) -> [f64; 3] {
        self.most.map(|most| 1.0 + rng.uniform([-most, most]))
    }

    fn apply<'a>(&self, gains: &[f64; 3], mut image: Image<'a>, scratch: &mut Scratch) -> Image<'a> {
        let channels = image.channels();
        let [hue, saturation, value] = *gains;
        // Casts cut off and saturate.
        let table = |gain: f64| Table::new(std::array::from_fn(|x| (x as f64 * gain) as u8));
        let turned = |x: usize| {
            let x = x as f64 * hue;
            x - (x / 180.0).floor() * 180.0
        };
        let hue = Table::new(std::array::from_fn(|x| turned(x) as u8));
        let tables = HsvTables { hue, saturation: table(saturation), value: table(value) };
        match image.values_mut() {
            ValuesMut::U8(values) => tables.apply(values, channels),
            ValuesMut::F32(values) => {
                let change = |values: &mut [u8]| tables.apply(values, channels);
                by_bytes(values, self.full, Conversion::Albumentations, scratch, change);
            }
        }
        image
    }
}
