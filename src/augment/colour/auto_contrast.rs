use feedline_proto::v1::{self, AutoContrastMethod};

use super::by_bytes::{Conversion, by_bytes};
use super::histogram::{self, Counts};
use super::pointwise::{clamp, map_floats_channels};
use super::table::Table;
use super::tables::Tables;
use super::{eight_bits_only, extremes, full_scale};
use crate::augment::op::{About, Built, Op, Refusal, Scratch, Targets};
use crate::image::{Form, Image, ValuesMut};
use crate::sample::Sample;
use crate::seed::Rng;

/// Stretches each channel to the full scale.
struct AutoContrast {
    /// Percent.
    cutoff: f64,
    method: AutoContrastMethod,
    full: f32,
}

pub(in crate::augment) const ABOUT: About = About {
    version: 1,
    equals: "Stretches each channel to the full scale. A channel of one value stays as it is.

- torchvision: `autocontrast` of a tensor. Exact; floats at a scale other than 1 within 1e-6 of it.
- pillow: `PIL.ImageOps.autocontrast` with the same `cutoff` at both ends. Exact.
- albumentations: `AutoContrast` with its default method `cdf`, albumentations_linear: with its method `pil`. Exact, floats by
  way of 8 bits.",
    targets: Targets::Image,
    example: "auto_contrast = { cutoff = 5, method = \"pillow\", p = 1 }",
};

pub(in crate::augment) fn from_message(message: &v1::AutoContrast, input: Form) -> Result<Built, Refusal> {
    let method = match message.method() {
        AutoContrastMethod::Unspecified => AutoContrastMethod::Torchvision,
        method => method,
    };
    let cutoff = message.cutoff.unwrap_or(0.0);
    match method {
        AutoContrastMethod::Torchvision if cutoff != 0.0 => {
            return Err(Refusal::new("cutoff", cutoff, "0 with the method torchvision, which has none"));
        }
        AutoContrastMethod::Pillow => eight_bits_only(input, "pillow")?,
        _ => {}
    }
    Built::maybe(AutoContrast { cutoff, method, full: full_scale(input)? }, message.p, input, input)
}

/// The image with each channel stretched to the full scale, nothing cut off, for policies.
pub(in crate::augment) fn stretched<'a>(
    image: Image<'a>,
    (method, full): (AutoContrastMethod, f32),
    scratch: &mut Scratch,
) -> Image<'a> {
    AutoContrast { cutoff: 0.0, method, full }.apply(&(), image, scratch)
}

impl Op for AutoContrast {
    type Params = ();
    const NAME: &'static str = "auto_contrast";

    fn draw(&self, _: &mut Rng, _: &Sample<'_>) {}

    fn apply<'a>(&self, (): &(), mut image: Image<'a>, scratch: &mut Scratch) -> Image<'a> {
        let channels = image.channels();
        match (image.values_mut(), self.method) {
            (ValuesMut::U8(values), _) => self.bytes(values, channels),
            (ValuesMut::F32(values), AutoContrastMethod::Torchvision) => {
                torchvision_floats(values, channels, self.full)
            }
            (ValuesMut::F32(values), _) => {
                let change = |values: &mut [u8]| self.bytes(values, channels);
                by_bytes(values, self.full, Conversion::Albumentations, scratch, change);
            }
        }
        image
    }
}

impl AutoContrast {
    fn bytes(&self, values: &mut [u8], channels: usize) {
        if self.method == AutoContrastMethod::Torchvision {
            let extremes = extremes::of_bytes(values, channels);
            return Tables(extremes.map(|(low, high)| torchvision(low, high))).apply(values, channels);
        }
        let counts = histogram::of_channels(values, channels);
        let table = |counts: &Counts| match self.method {
            AutoContrastMethod::Pillow => pillow(counts, self.cutoff),
            method => albumentations(counts, self.cutoff, method == AutoContrastMethod::AlbumentationsLinear),
        };
        Tables(counts.each_ref().map(table)).apply(values, channels);
    }
}

fn torchvision(low: u8, high: u8) -> Table {
    if low >= high {
        return Table::identity();
    }
    let (low, scale) = (f32::from(low), (f32::from(high) - f32::from(low)) * (1.0 / 255.0));
    Table::of(|x| (x - low) / scale)
}

fn torchvision_floats(values: &mut [f32], channels: usize, full: f32) {
    let (mut lows, mut scales) = ([0.0; 3], [1.0; 3]);
    for (channel, (low, high)) in extremes::of_floats(values, channels).into_iter().enumerate() {
        if low < high {
            (lows[channel], scales[channel]) = (low, (high - low) * (1.0 / full));
        }
    }
    map_floats_channels(values, channels, |channel, x| clamp((x - lows[channel]) / scales[channel], full));
}

fn pillow(counts: &Counts, cutoff: f64) -> Table {
    let mut counts = *counts;
    let total: u64 = counts.iter().map(|count| u64::from(*count)).sum();
    let cut = (total as f64 * cutoff / 100.0).floor() as u64;
    take_away(counts.iter_mut(), cut);
    take_away(counts.iter_mut().rev(), cut);
    let (Some(low), Some(high)) = (first(&counts), last(&counts)) else { return Table::identity() };
    if high <= low {
        return Table::identity();
    }
    let scale = 255.0 / (high - low) as f64;
    let offset = -(low as f64) * scale;
    // A cast cuts off and saturates.
    Table::new(std::array::from_fn(|x| (x as f64 * scale + offset) as u8))
}

/// Takes `cut` pixels away from the first counts on.
fn take_away<'a>(counts: impl Iterator<Item = &'a mut u32>, mut cut: u64) {
    for count in counts {
        let taken = u64::from(*count).min(cut);
        // Not above the count, which is of 32 bits.
        *count -= taken as u32;
        cut -= taken;
        if cut == 0 {
            break;
        }
    }
}

fn albumentations(counts: &Counts, cutoff: f64, linear: bool) -> Table {
    // The library's histogram ends before 255, and so leaves that value out.
    let counts = &{
        let mut counts = *counts;
        counts[255] = 0;
        counts
    };
    let (low, high) = bounds(counts, cutoff);
    if high <= low {
        return Table::identity();
    }
    let scale = 255.0 / (high - low) as f64;
    // The library adds the counts up in 32-bit floats, of which those below 2^24 are exact.
    let first = counts[low] as f32;
    let total = counts[low..=high].iter().fold(0.0_f32, |sum, count| sum + *count as f32);
    if !linear && total <= first {
        return Table::identity();
    }
    let mut sum = 0.0_f32;
    Table::new(std::array::from_fn(|x| {
        if x < low {
            return 0;
        }
        if x > high {
            return 255;
        }
        sum += counts[x] as f32;
        match linear {
            true => ((x - low) as f64 * scale).round_ties_even() as u8,
            false => ((sum - first) * 255.0 / (total - first)).round_ties_even() as u8,
        }
    }))
}

/// The values that are to become 0 and 255.
fn bounds(counts: &Counts, cutoff: f64) -> (usize, usize) {
    if cutoff == 0.0 {
        return (first(counts).unwrap_or(0), last(counts).unwrap_or(0));
    }
    if counts.iter().all(|count| *count == counts[0]) {
        let low = (256.0 * cutoff / 100.0) as usize;
        return (low, 255_usize.saturating_sub(low));
    }
    let cut = counts.iter().map(|count| f64::from(*count)).sum::<f64>() * cutoff / 100.0;
    let low = reach(counts.iter(), cut).map_or(0, |index| (index + 1).min(255));
    let high = reach(counts.iter().rev(), cut).map_or(255, |index| 255 - index);
    if low > high { (127, 127) } else { (low, high) }
}

/// The first of `counts` whose sum up to there is not below `least`.
fn reach<'a>(mut counts: impl Iterator<Item = &'a u32>, least: f64) -> Option<usize> {
    let mut sum = 0.0;
    counts.position(|count| {
        sum += f64::from(*count);
        sum >= least
    })
}

fn first(counts: &Counts) -> Option<usize> {
    counts.iter().position(|count| *count > 0)
}

fn last(counts: &Counts) -> Option<usize> {
    counts.iter().rposition(|count| *count > 0)
}
