use feedline_proto::v1::{self, AdaptationMethod};

use super::histogram_matching::Blend;
use super::reference::References;
use super::spread::Spread;
use super::stretch::Stretch;
use super::{full_scale, range, within};
use crate::augment::op::{About, Built, Op, Refusal, Scratch, Targets};
use crate::augment::resources::Resources;
use crate::image::{Form, Image, ValuesMut};
use crate::sample::Sample;
use crate::seed::Rng;
use crate::simd::Kernel;

/// Gives the colours the distribution of those of a reference.
struct PixelDistributionAdaptation {
    references: References<Spread>,
    method: AdaptationMethod,
    blend_ratio: [f64; 2],
    full: f32,
}

pub(in crate::augment) const ABOUT: About = About {
    version: 1,
    equals: "Gives the colours the distribution of those of a reference, a sample of the split: `albumentations.PixelDistributionAdaptation`,
as it is meant. Version 2.0.8 mixes two scales up: of 8 bits it blends the image from 0 to 255 with an adapted one from 0 to 1, which
leaves black, and so of floats unless `blend_ratio` is 1. Here both have one scale, and 8 bits are rounded to nearest. Floats with a
`blend_ratio` of 1 are its own within 2e-5 of the full scale (it adds pixels up in 32 bits), 8 bits exact but for values half-way
between two levels. Floats are not rounded to 8 bits first.",
    targets: Targets::Image,
    example: "pixel_distribution_adaptation = { references = [34, 52], p = 1.0 }",
};

pub(in crate::augment) fn from_message(
    message: &v1::PixelDistributionAdaptation,
    input: Form,
    resources: &dyn Resources,
) -> Result<Built, Refusal> {
    let method = match message.transform_type() {
        AdaptationMethod::Unspecified => AdaptationMethod::Pca,
        method => method,
    };
    let (blend_ratio, full) = (range("blend_ratio", &message.blend_ratio)?, full_scale(input)?);
    let bytes = size_of::<Spread>() as u64;
    let spread = |image: &Image<'_>| Spread::of(image, 255.0);
    let references = References::new(&message.references, Stretch::AreaTransposed, (input, resources), bytes, spread)?;
    let op = PixelDistributionAdaptation { references, method, blend_ratio, full };
    Built::maybe(op, message.p, input, input)
}

impl Op for PixelDistributionAdaptation {
    type Params = Blend;
    const NAME: &'static str = "pixel_distribution_adaptation";

    fn draw(&self, rng: &mut Rng, _: &Sample<'_>) -> Blend {
        let reference = self.references.draw(rng);
        Blend { reference, blend_ratio: rng.uniform(self.blend_ratio) }
    }

    fn apply<'a>(&self, drawn: &Blend, mut image: Image<'a>, scratch: &mut Scratch) -> Image<'a> {
        let target = self.references.at(drawn.reference, image.size(), scratch);
        let adapted = Adapted::new(&Spread::of(&image, self.full), &target, self.method);
        let ratio = within(drawn.blend_ratio, 0.0, 1.0);
        let blend = AdaptedBlend { adapted, ratio: ratio as f32, rest: (1.0 - ratio) as f32, full: self.full };
        match (image.channels(), image.values_mut()) {
            (3, ValuesMut::U8(values)) if self.method == AdaptationMethod::Pca => Colours { values, blend }.dispatch(),
            (channels, ValuesMut::U8(values)) => blend.look_up(values, channels),
            (3, ValuesMut::F32(values)) => Colours { values, blend }.dispatch(),
            (_, ValuesMut::F32(values)) => values.iter_mut().for_each(|x| *x = blend.value([*x, 0.0, 0.0])[0]),
        }
        image
    }
}

/// How colours are adapted, relative to the full scale: `matrix * colour + offset`.
struct Adapted {
    matrix: [[f64; 3]; 3],
    offset: [f64; 3],
}

impl Adapted {
    fn new(source: &Spread, target: &Spread, method: AdaptationMethod) -> Adapted {
        let diagonal = |slope: [f64; 3], offset: [f64; 3]| Adapted {
            matrix: std::array::from_fn(|i| std::array::from_fn(|j| if i == j { slope[i] } else { 0.0 })),
            offset,
        };
        // Where nothing differs there is nothing to be stretched.
        let or_one = |x: f64| if x == 0.0 { 1.0 } else { x };
        match method {
            AdaptationMethod::Minmax => {
                let of = |spread: &Spread, channel: usize| or_one(spread.high[channel] - spread.low[channel]);
                let slope = std::array::from_fn(|channel| of(target, channel) / of(source, channel));
                diagonal(slope, std::array::from_fn(|c| target.low[c] - source.low[c] * slope[c]))
            }
            AdaptationMethod::Standard => {
                let of = |spread: &Spread, channel: usize| or_one(spread.covariance[channel][channel].max(0.0).sqrt());
                let slope = std::array::from_fn(|channel| of(target, channel) / of(source, channel));
                diagonal(slope, std::array::from_fn(|c| target.mean[c] - source.mean[c] * slope[c]))
            }
            AdaptationMethod::Pca | AdaptationMethod::Unspecified => {
                let (from, to) = (source.principal_components(), target.principal_components());
                let sign = |axes: &[[f64; 3]; 3]| {
                    let trace = axes[0][0] + axes[1][1] + axes[2][2];
                    if trace == 0.0 { 0.0 } else { trace.signum() }
                };
                // Axes have no sign of their own; those of both images must point the same way.
                let turn = if sign(&from) == sign(&to) { 1.0 } else { -1.0 };
                let along =
                    |i: usize, j: usize| (to[0][i] * from[0][j] + to[1][i] * from[1][j] + to[2][i] * from[2][j]) * turn;
                let matrix: [[f64; 3]; 3] = std::array::from_fn(|i| std::array::from_fn(|j| along(i, j)));
                let moved = |row: [f64; 3]| row[0] * source.mean[0] + row[1] * source.mean[1] + row[2] * source.mean[2];
                let offset = std::array::from_fn(|i| target.mean[i] - moved(matrix[i]));
                Adapted { matrix, offset }
            }
        }
    }
}

/// Adapted colours and their share in the result.
struct AdaptedBlend {
    adapted: Adapted,
    ratio: f32,
    rest: f32,
    full: f32,
}

impl AdaptedBlend {
    /// What becomes of a colour.
    #[inline(always)]
    fn value(&self, colour: [f32; 3]) -> [f32; 3] {
        let mut out = [0.0; 3];
        for (i, out) in out.iter_mut().enumerate() {
            let [a, b, c] = self.adapted.matrix[i].map(|x| x as f32);
            let offset = (self.adapted.offset[i] * f64::from(self.full)) as f32;
            let adapted = a * colour[0] + b * colour[1] + c * colour[2] + offset;
            *out = clamp(clamp(adapted, self.full) * self.ratio + colour[i] * self.rest, self.full);
        }
        out
    }

    /// Replaces every value of 8 bits, channels being independent: by a table for each.
    fn look_up(&self, values: &mut [u8], channels: usize) {
        let tables: [[u8; 256]; 3] = std::array::from_fn(|channel| {
            std::array::from_fn(|x| self.value([x as f32; 3])[channel].round_ties_even() as u8)
        });
        if channels == 3 {
            let [r, g, b] = &tables;
            for pixel in values.as_chunks_mut::<3>().0 {
                *pixel = [r[usize::from(pixel[0])], g[usize::from(pixel[1])], b[usize::from(pixel[2])]];
            }
        } else {
            values.iter_mut().for_each(|x| *x = tables[0][usize::from(*x)]);
        }
    }
}

/// `x` from 0 to `full`; NaN is 0.
#[inline(always)]
fn clamp(x: f32, full: f32) -> f32 {
    let x = if x > 0.0 { x } else { 0.0 };
    if x < full { x } else { full }
}

/// All colours of an image of three channels.
struct Colours<'a, T> {
    values: &'a mut [T],
    blend: AdaptedBlend,
}

impl Kernel for Colours<'_, u8> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let (chunks, rest) = self.values.as_chunks_mut::<{ 3 * LANES }>();
        for chunk in chunks {
            // Channels apart, so that the loop over a chunk becomes vectors.
            let mut planes = [[0.0; LANES]; 3];
            for (lane, pixel) in chunk.as_chunks::<3>().0.iter().enumerate() {
                (planes[0][lane], planes[1][lane], planes[2][lane]) =
                    (f32::from(pixel[0]), f32::from(pixel[1]), f32::from(pixel[2]));
            }
            let mut made = [[0; LANES]; 3];
            for lane in 0..LANES {
                let [r, g, b] = self.blend.value([planes[0][lane], planes[1][lane], planes[2][lane]]);
                (made[0][lane], made[1][lane], made[2][lane]) = (rounded(r), rounded(g), rounded(b));
            }
            for (lane, pixel) in chunk.as_chunks_mut::<3>().0.iter_mut().enumerate() {
                *pixel = [made[0][lane] as u8, made[1][lane] as u8, made[2][lane] as u8];
            }
        }
        for pixel in rest.as_chunks_mut::<3>().0 {
            *pixel = self.blend.value(pixel.map(f32::from)).map(|x| rounded(x) as u8);
        }
    }
}

impl Kernel for Colours<'_, f32> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for pixel in self.values.as_chunks_mut::<3>().0 {
            *pixel = self.blend.value(*pixel);
        }
    }
}

/// Pixels at a time.
const LANES: usize = 32;

/// A number from 0 to 255, rounded half to even. Adding 3 * 2^22 leaves no bits for a fraction, so that the sum is rounded as the
/// processor rounds; its lowest bits are then the number, and no call is needed where there is no instruction for it.
#[inline(always)]
fn rounded(x: f32) -> u32 {
    (x + 12_582_912.0).to_bits() & 0xff
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::Level;

    #[test]
    fn every_level_adapts_colours_alike() {
        let input: Vec<u8> = (0..3 * 517_u32).map(|x| (x * x % 253) as u8).collect();
        let blend = || AdaptedBlend {
            adapted: Adapted {
                matrix: [[0.9, 0.2, -0.1], [-0.3, 1.2, 0.3], [0.0, 0.4, 0.7]],
                offset: [0.05, -0.1, 0.2],
            },
            ratio: 0.7,
            rest: 0.3,
            full: 255.0,
        };
        let one = |pixel: &[u8; 3]| blend().value(pixel.map(f32::from)).map(|x| x.round_ties_even() as u8);
        let expected: Vec<u8> = input.as_chunks::<3>().0.iter().flat_map(one).collect();
        for level in Level::ALL {
            let mut values = input.clone();
            Colours { values: &mut values, blend: blend() }.run_at(level);
            assert_eq!(values, expected, "{level:?}");
        }
    }
}
