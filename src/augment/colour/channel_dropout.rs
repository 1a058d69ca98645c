use feedline_proto::v1;

use super::pointwise::{map_floats_channels, map_with};
use super::{full_scale, whole_range};
use crate::augment::op::{About, Built, Op, Refusal, Scratch, Targets};
use crate::image::{Form, Image, ValuesMut};
use crate::sample::Sample;
use crate::seed::Rng;

/// Replaces some channels by a constant.
struct ChannelDropout {
    count: [u32; 2],
    /// In units of 8 bits.
    fill: f64,
    full: f32,
}

pub(in crate::augment) const ABOUT: About = About {
    version: 1,
    equals: "Replaces one or two of the three channels by a constant: `albumentations.ChannelDropout`. How many is drawn first, then
which, all equally likely. Refuses one channel, as it does. Exact.",
    targets: Targets::Image,
    example: "channel_dropout = { channel_drop_range = [1, 2], p = 1 }",
};

pub(in crate::augment) fn from_message(message: &v1::ChannelDropout, input: Form) -> Result<Built, Refusal> {
    if input.channels != 3 {
        return Err(Refusal::new("", "applied to an image of 1 channel", "3 channels"));
    }
    let op = ChannelDropout {
        count: whole_range("channel_drop_range", &message.channel_drop_range)?,
        fill: message.fill.unwrap_or(0.0),
        full: full_scale(input)?,
    };
    Built::maybe(op, message.p, input, input)
}

impl Op for ChannelDropout {
    /// Whether red, green and blue are dropped.
    type Params = [bool; 3];
    const NAME: &'static str = "channel_dropout";

    fn draw(&self, rng: &mut Rng, _: &Sample<'_>) -> [bool; 3] {
        let [low, high] = self.count;
        let count = u64::from(low) + rng.below(u64::from(high - low) + 1);
        let mut dropped = std::array::from_fn(|channel| (channel as u64) < count);
        rng.shuffle(&mut dropped);
        dropped
    }

    fn apply<'a>(&self, dropped: &[bool; 3], mut image: Image<'a>, _: &mut Scratch) -> Image<'a> {
        let channels = image.channels();
        match image.values_mut() {
            ValuesMut::U8(values) => {
                let fill = self.fill as u8;
                // What stays of a value, and what is put in its place.
                let masks = dropped.map(|dropped| if dropped { (0, fill) } else { (255, 0) });
                map_with(values, channels, masks, |x, (stays, put)| (x & stays) | put);
            }
            ValuesMut::F32(values) => {
                let fill = (self.fill * f64::from(self.full) / 255.0) as f32;
                map_floats_channels(values, channels, |channel, x| if dropped[channel] { fill } else { x });
            }
        }
        image
    }
}
