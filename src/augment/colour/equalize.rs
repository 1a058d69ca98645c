use feedline_proto::v1::{self, EqualizeMethod};

use super::by_bytes::{Conversion, by_bytes};
use super::full_scale;
use super::histogram::{self, Counts};
use super::luma;
use super::table::Table;
use super::tables::Tables;
use crate::augment::op::{About, Built, Op, Refusal, Scratch, Targets};
use crate::image::{Form, Image, ValuesMut};
use crate::sample::Sample;
use crate::seed::Rng;

/// Makes every value about equally frequent.
struct Equalize {
    method: EqualizeMethod,
    by_channels: bool,
    full: f32,
}

pub(in crate::augment) const ABOUT: About = About {
    version: 1,
    equals: "Spreads the values so that each is about as frequent as any other.

- pillow: `PIL.ImageOps.equalize`, torchvision's `equalize` of a tensor. Exact, floats by way of 8 bits within 1e-7.
- opencv: `cv2.equalizeHist`, `albumentations.Equalize` with its default mode `cv`; with `by_channels = false` of the luma of
  YCrCb alone. Exact, floats by way of 8 bits.
- albumentations_pil: `albumentations.Equalize` with the mode `pil`, which takes a value's own count in where Pillow does not; with
  `by_channels = false` of the luma alone. Exact, floats by way of 8 bits.",
    targets: Targets::Image,
    example: "equalize = { p = 1 }",
};

pub(in crate::augment) fn from_message(message: &v1::Equalize, input: Form) -> Result<Built, Refusal> {
    let method = match message.method() {
        EqualizeMethod::Unspecified => EqualizeMethod::Pillow,
        method => method,
    };
    let by_channels = message.by_channels.unwrap_or(true);
    if !by_channels && method == EqualizeMethod::Pillow {
        return Err(Refusal::new("by_channels", "false with the method pillow", "true, or another method"));
    }
    let by_channels = by_channels || input.channels == 1;
    Built::maybe(Equalize { method, by_channels, full: full_scale(input)? }, message.p, input, input)
}

/// The image equalized by Pillow's method, for policies.
pub(in crate::augment) fn equalized<'a>(image: Image<'a>, full: f32, scratch: &mut Scratch) -> Image<'a> {
    Equalize { method: EqualizeMethod::Pillow, by_channels: true, full }.apply(&(), image, scratch)
}

impl Op for Equalize {
    type Params = ();
    const NAME: &'static str = "equalize";

    fn draw(&self, _: &mut Rng, _: &Sample<'_>) {}

    fn apply<'a>(&self, (): &(), mut image: Image<'a>, scratch: &mut Scratch) -> Image<'a> {
        let channels = image.channels();
        match image.values_mut() {
            ValuesMut::U8(values) => self.bytes(values, channels),
            ValuesMut::F32(values) => {
                let conversion = match self.method {
                    EqualizeMethod::Opencv | EqualizeMethod::AlbumentationsPil => Conversion::Albumentations,
                    _ => Conversion::Torchvision,
                };
                by_bytes(values, self.full, conversion, scratch, |values| self.bytes(values, channels));
            }
        }
        image
    }
}

impl Equalize {
    fn table(&self) -> fn(&Counts) -> Table {
        match self.method {
            EqualizeMethod::Opencv => opencv,
            EqualizeMethod::AlbumentationsPil => albumentations_pil,
            _ => pillow,
        }
    }

    fn bytes(&self, values: &mut [u8], channels: usize) {
        if self.by_channels || channels == 1 {
            let counts = histogram::of_channels(values, channels);
            return Tables(counts.each_ref().map(self.table())).apply(values, channels);
        }
        luma::change(values, self.table());
    }
}

/// Steps of whole numbers, a value's own count left out.
fn pillow(counts: &Counts) -> Table {
    stepped(counts, 0)
}

/// As [`pillow`], but a value's own count taken in.
fn albumentations_pil(counts: &Counts) -> Table {
    stepped(counts, 1)
}

/// Steps of whole numbers, `own` of a value's count taken in: 0 or 1. Nothing changes where there are too few values for a step.
fn stepped(counts: &Counts, own: u64) -> Table {
    let total: u64 = counts.iter().map(|count| u64::from(*count)).sum();
    let last = counts.iter().rev().find(|count| **count > 0).map_or(0, |count| u64::from(*count));
    let step = (total - last) / 255;
    if step == 0 {
        return Table::identity();
    }
    let mut sum = step / 2;
    Table::new(counts.map(|count| {
        let value = ((sum + own * u64::from(count)) / step).min(255) as u8;
        sum += u64::from(count);
        value
    }))
}

/// The cumulative histogram from the first value on, scaled to 255 and rounded to even in 32-bit floats.
fn opencv(counts: &Counts) -> Table {
    let total: u64 = counts.iter().map(|count| u64::from(*count)).sum();
    let Some(first) = counts.iter().position(|count| *count > 0) else { return Table::identity() };
    let rest = total - u64::from(counts[first]);
    if rest == 0 {
        return Table::identity();
    }
    let (scale, mut sum) = (255.0 / rest as f32, 0_u64);
    Table::new(std::array::from_fn(|value| {
        if value > first {
            sum += u64::from(counts[value]);
        }
        (sum as f32 * scale).round_ties_even() as u8
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_of_one_value_stays_as_it_is() {
        let mut counts = [0; 256];
        for table in [pillow, opencv, albumentations_pil] {
            assert_eq!(table(&counts), Table::identity());
        }
        counts[7] = u32::MAX;
        for table in [pillow, opencv, albumentations_pil] {
            assert_eq!(table(&counts), Table::identity());
        }
    }
}
