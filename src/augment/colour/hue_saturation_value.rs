use feedline_proto::v1;
use serde::{Deserialize, Serialize};

use super::by_bytes::{Conversion, by_bytes};
use super::hsv::HsvTables;
use super::table::Table;
use super::{full_scale, range};
use crate::augment::op::{About, Built, Op, Refusal, Scratch, Targets};
use crate::image::{Form, Image, ValuesMut};
use crate::sample::Sample;
use crate::seed::Rng;

/// Turns the hue and adds to saturation and value.
struct HueSaturationValue {
    hue: [f64; 2],
    saturation: [f64; 2],
    value: [f64; 2],
    full: f32,
}

pub(in crate::augment) const ABOUT: About = About {
    version: 1,
    equals: "Turns the hue and adds to saturation and value, in OpenCV's HSV of 8 bits: `albumentations.HueSaturationValue`. Colours
without saturation stay without. An image of one channel takes the value alone. As OpenCV's vector loops compute, which cut off;
where it fuses multiplications with additions, one value in a thousand may differ by 1, and so may the pixels at the end of a row
that fill no vector (32 on most processors), which it rounds. Floats by way of 8 bits.",
    targets: Targets::Image,
    example: "hue_saturation_value = { hue_shift_limit = [-30, 30], p = 1 }",
};

pub(in crate::augment) fn from_message(message: &v1::HueSaturationValue, input: Form) -> Result<Built, Refusal> {
    let op = HueSaturationValue {
        hue: range("hue_shift_limit", &message.hue_shift_limit)?,
        saturation: range("sat_shift_limit", &message.sat_shift_limit)?,
        value: range("val_shift_limit", &message.val_shift_limit)?,
        full: full_scale(input)?,
    };
    Built::maybe(op, message.p, input, input)
}

/// What is drawn.
#[derive(Serialize, Deserialize)]
struct Drawn {
    hue_shift: f64,
    sat_shift: f64,
    val_shift: f64,
}

impl Op for HueSaturationValue {
    type Params = Drawn;
    const NAME: &'static str = "hue_saturation_value";

    fn draw(&self, rng: &mut Rng, _: &Sample<'_>) -> Drawn {
        Drawn {
            hue_shift: rng.uniform(self.hue),
            sat_shift: rng.uniform(self.saturation),
            val_shift: rng.uniform(self.value),
        }
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
        let [hue, saturation] = if channels == 3 { [self.hue_shift, self.sat_shift] } else { [0.0; 2] };
        if (self.hue_shift, self.sat_shift, self.val_shift) == (0.0, 0.0, 0.0) {
            return;
        }
        let mut added = added(saturation).values().to_owned();
        added[0] = 0;
        let value = self::added(self.val_shift);
        HsvTables { hue: turned(hue), saturation: Table::new(added), value }.apply(values, channels);
    }
}

/// Hues turned by `shift` steps of two degrees, cut off.
pub(super) fn turned(shift: f64) -> Table {
    if shift == 0.0 {
        return Table::identity();
    }
    // A cast cuts off and saturates.
    Table::new(std::array::from_fn(|hue| {
        let hue = hue as f64 + shift;
        (hue - (hue / 180.0).floor() * 180.0) as u8
    }))
}

/// Values with a whole number added: what is cut off of `shift`.
fn added(shift: f64) -> Table {
    let shift = shift as i16;
    Table::new(std::array::from_fn(|x| (x as i16).saturating_add(shift).clamp(0, 255) as u8))
}
