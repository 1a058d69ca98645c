use feedline_proto::v1;

use super::pointwise::{clamp, map_floats_channels, map_with};
use super::{full_scale, range};
use crate::augment::op::{About, Built, Op, Refusal, Scratch, Targets};
use crate::image::{Form, Image, ValuesMut};
use crate::sample::Sample;
use crate::seed::Rng;

/// Adds a number to each channel.
struct RgbShift {
    limits: [[f64; 2]; 3],
    full: f32,
}

pub(in crate::augment) const ABOUT: About = About {
    version: 1,
    equals: "Adds a number to each channel, clamped to 0 and the full scale: `albumentations.RGBShift`, which takes limits of at most 1
for fractions; here they never are. 8 bits: the number is cut off to a whole one; exact. Floats within 1e-7 of the full scale.",
    targets: Targets::Image,
    example: "rgb_shift = { r_shift_limit = [-40, 40], g_shift_limit = [-40, 40], b_shift_limit = [-40, 40], p = 1 }",
};

pub(in crate::augment) fn from_message(message: &v1::RgbShift, input: Form) -> Result<Built, Refusal> {
    let limits = [
        range("r_shift_limit", &message.r_shift_limit)?,
        range("g_shift_limit", &message.g_shift_limit)?,
        range("b_shift_limit", &message.b_shift_limit)?,
    ];
    Built::maybe(RgbShift { limits, full: full_scale(input)? }, message.p, input, input)
}

impl Op for RgbShift {
    /// In units of 1/255, for red, green and blue.
    type Params = [f64; 3];
    const NAME: &'static str = "rgb_shift";

    fn draw(&self, rng: &mut Rng, _: &Sample<'_>) -> [f64; 3] {
        self.limits.map(|limit| rng.uniform(limit))
    }

    fn apply<'a>(&self, shifts: &[f64; 3], mut image: Image<'a>, _: &mut Scratch) -> Image<'a> {
        let channels = image.channels();
        match image.values_mut() {
            ValuesMut::U8(values) => {
                // Casts cut off, and saturate: what lies beyond 255 leaves nothing of a value in any case.
                let up = shifts.map(|shift| shift as u8);
                let down = shifts.map(|shift| (-shift) as u8);
                if up != [0; 3] {
                    map_with(values, channels, up, |x, shift| x.saturating_add(shift));
                }
                if down != [0; 3] {
                    map_with(values, channels, down, |x, shift| x.saturating_sub(shift));
                }
            }
            ValuesMut::F32(values) => {
                let full = self.full;
                let shifts = shifts.map(|shift| (shift / 255.0 * f64::from(full)) as f32);
                map_floats_channels(values, channels, |channel, x| clamp(x + shifts[channel], full));
            }
        }
        image
    }
}
