use feedline_proto::v1;
use serde::{Deserialize, Serialize};

use super::reference::References;
use super::stretch::Stretch;
use super::{full_scale, range, within};
use crate::augment::op::{About, Built, Op, Refusal, Scratch, Targets};
use crate::augment::resources::Resources;
use crate::image::{Form, Image, ValuesMut};
use crate::sample::Sample;
use crate::seed::Rng;

/// Gives each channel the histogram of a reference.
struct HistogramMatching {
    references: References<Box<[Ranks]>>,
    blend_ratio: [f64; 2],
    full: f32,
}

/// The values that there are in a channel of a reference, and the share of pixels that have them or less.
#[derive(Clone)]
struct Ranks {
    values: Vec<f64>,
    shares: Vec<f64>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Blend {
    /// Place in the list of references.
    pub(super) reference: usize,
    /// Weight of what the reference has made of the image.
    pub(super) blend_ratio: f64,
}

pub(in crate::augment) const ABOUT: About = About {
    version: 1,
    equals: "Gives each channel the histogram of a reference, a sample of the split: `albumentations.HistogramMatching`. 8 bits exact, but for
blends that lie half-way between two levels, which may differ by 1; so may a level where a reference had to be enlarged, since
OpenCV computes that in several ways. Floats are matched as 8 bits, as there, and within 2e-6 of the full scale. For images of one
channel references are made gray as OpenCV does.",
    targets: Targets::Image,
    example: "histogram_matching = { references = [34, 52], p = 1.0 }",
};

pub(in crate::augment) fn from_message(
    message: &v1::HistogramMatching,
    input: Form,
    resources: &dyn Resources,
) -> Result<Built, Refusal> {
    let (blend_ratio, full) = (range("blend_ratio", &message.blend_ratio)?, full_scale(input)?);
    let ranks = |image: &Image<'_>| {
        let values = image.as_u8().unwrap_or_default();
        counted(values, image.channels()).iter().map(Ranks::of).collect()
    };
    let bytes = (input.channels * 256 * 16) as u64;
    let references = References::new(&message.references, Stretch::Linear, (input, resources), bytes, ranks)?;
    Built::maybe(HistogramMatching { references, blend_ratio, full }, message.p, input, input)
}

impl Op for HistogramMatching {
    type Params = Blend;
    const NAME: &'static str = "histogram_matching";

    fn draw(&self, rng: &mut Rng, _: &Sample<'_>) -> Blend {
        let reference = self.references.draw(rng);
        Blend { reference, blend_ratio: rng.uniform(self.blend_ratio) }
    }

    fn apply<'a>(&self, drawn: &Blend, mut image: Image<'a>, scratch: &mut Scratch) -> Image<'a> {
        let (channels, size) = (image.channels(), image.size());
        let ranks = self.references.at(drawn.reference, size, scratch);
        let ratio = within(drawn.blend_ratio, 0.0, 1.0);
        let (ratio, rest) = (ratio as f32, (1.0 - ratio) as f32);
        match image.values_mut() {
            ValuesMut::U8(values) => {
                let counts = counted(values, channels);
                let tables: Vec<[u8; 256]> = counts
                    .iter()
                    .zip(&**ranks)
                    .map(|(counts, ranks)| {
                        let matched = ranks.matched(counts);
                        let blend = |x: usize| f32::from(matched[x]) * ratio + x as f32 * rest;
                        std::array::from_fn(|x| blend(x).round_ties_even().clamp(0.0, 255.0) as u8)
                    })
                    .collect();
                look_up(values, &tables);
            }
            ValuesMut::F32(values) => {
                let full = self.full;
                let level = |x: f32| (x / full * 255.0).round_ties_even().clamp(0.0, 255.0) as u8;
                let mut levels = scratch.bytes(values.len());
                levels.iter_mut().zip(&*values).for_each(|(level_of, x)| *level_of = level(*x));
                let counts = counted(&levels, channels);
                let tables: Vec<[f32; 256]> = counts
                    .iter()
                    .zip(&**ranks)
                    .map(|(counts, ranks)| ranks.matched(counts).map(|x| f32::from(x) / 255.0 * full * ratio))
                    .collect();
                for (pixel, levels) in values.chunks_exact_mut(channels).zip(levels.chunks_exact(channels)) {
                    for ((x, level), table) in pixel.iter_mut().zip(levels).zip(&tables) {
                        let blend = table[usize::from(*level)] + *x * rest;
                        // NaN becomes 0.
                        *x = if blend > 0.0 { blend.min(full) } else { 0.0 };
                    }
                }
                scratch.recycle(Image::from_u8(size, channels, levels));
            }
        }
        image
    }
}

/// How often each value occurs in each channel.
fn counted(values: &[u8], channels: usize) -> Vec<[u32; 256]> {
    // Neighbours are often equal, and adding to the number that was just written waits for it: so they count apart.
    let mut apart = vec![[0_u32; 256]; channels * 2];
    let mut pairs = values.chunks_exact(channels * 2);
    for pair in &mut pairs {
        pair.iter().zip(&mut apart).for_each(|(x, counts)| counts[usize::from(*x)] += 1);
    }
    pairs.remainder().iter().zip(&mut apart).for_each(|(x, counts)| counts[usize::from(*x)] += 1);
    let (first, second) = apart.split_at(channels);
    first.iter().zip(second).map(|(a, b)| std::array::from_fn(|x| a[x] + b[x])).collect()
}

/// Replaces every value by what the table of its channel says.
fn look_up(values: &mut [u8], tables: &[[u8; 256]]) {
    if let [r, g, b] = tables {
        for pixel in values.as_chunks_mut::<3>().0 {
            *pixel = [r[usize::from(pixel[0])], g[usize::from(pixel[1])], b[usize::from(pixel[2])]];
        }
    } else if let [gray] = tables {
        values.iter_mut().for_each(|x| *x = gray[usize::from(*x)]);
    }
}

impl Ranks {
    fn of(counts: &[u32; 256]) -> Ranks {
        let total = counts.iter().map(|n| u64::from(*n)).sum::<u64>().max(1) as f64;
        let mut below = 0_u64;
        let (mut values, mut shares) = (Vec::new(), Vec::new());
        for (value, count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
            below += u64::from(*count);
            values.push(value as f64);
            shares.push(below as f64 / total);
        }
        Ranks { values, shares }
    }

    /// For each value of a channel with these counts, the value of the reference of the same rank, between two by their distance,
    /// its fraction cut off.
    fn matched(&self, counts: &[u32; 256]) -> [u8; 256] {
        let total = counts.iter().map(|n| u64::from(*n)).sum::<u64>().max(1) as f64;
        let mut below = 0_u64;
        let mut matched = [0; 256];
        // Both rise, so that one pass over each does.
        let mut next = 0;
        for (count, matched) in counts.iter().zip(&mut matched) {
            below += u64::from(*count);
            let share = below as f64 / total;
            while next < self.shares.len() && self.shares[next] <= share {
                next += 1;
            }
            *matched = self.between(next, share) as u8;
        }
        matched
    }

    /// The value at `share`, where `next` is the first place whose share is above.
    fn between(&self, next: usize, share: f64) -> f64 {
        match (next.checked_sub(1), self.values.get(next)) {
            (None, first) => first.copied().unwrap_or(0.0),
            (Some(last), None) => self.values[last],
            (Some(last), Some(above)) => {
                let slope = (above - self.values[last]) / (self.shares[next] - self.shares[last]);
                slope * (share - self.shares[last]) + self.values[last]
            }
        }
    }
}
