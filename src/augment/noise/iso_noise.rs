use feedline_proto::v1;
use serde::{Deserialize, Serialize};

use super::{Noise, full_scale, poisson, range, recycle};
use crate::augment::op::{About, Built, Op, Refusal, Scratch, Targets};
use crate::augment::simd::Kernel;
use crate::image::{Form, Image, ValuesMut};
use crate::sample::Sample;
use crate::seed::Rng;

/// Noise of hue and lightness.
struct IsoNoise {
    color_shift: [f64; 2],
    intensity: [f64; 2],
    full: f32,
}

/// What is drawn.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Drawn {
    color_shift: f64,
    intensity: f64,
    /// A seed, or the events of each pixel.
    luminance: Noise,
    /// Standard normal numbers.
    color: Noise,
}

pub(in crate::augment) const ABOUT: About = About {
    version: 1,
    equals: "Noise of hue and lightness: `albumentations.ISONoise` with the same numbers, through OpenCV's HLS in floats. 8 bits within 1;
floats within 1e-5 of the full scale.",
    targets: Targets::Image,
    example: "iso_noise = { intensity = [0.5, 1.0], p = 1 }",
};

pub(in crate::augment) fn from_message(message: &v1::IsoNoise, input: Form) -> Result<Built, Refusal> {
    if input.channels != 3 {
        let found = format!("applied to an image of {} channel", input.channels);
        return Err(Refusal::new("", found, "3 channels"));
    }
    let v1::IsoNoise { color_shift, intensity, p } = message;
    let op = IsoNoise {
        color_shift: range("color_shift", color_shift)?,
        intensity: range("intensity", intensity)?,
        full: full_scale(input)?,
    };
    Built::maybe(op, *p, input, input)
}

impl Op for IsoNoise {
    type Params = Drawn;
    const NAME: &'static str = "iso_noise";

    fn draw(&self, rng: &mut Rng, _: &Sample<'_>) -> Drawn {
        let color_shift = rng.uniform(self.color_shift);
        let intensity = rng.uniform(self.intensity);
        Drawn { color_shift, intensity, luminance: Noise::draw(rng), color: Noise::draw(rng) }
    }

    fn apply<'a>(&self, drawn: &Drawn, mut image: Image<'a>, scratch: &mut Scratch) -> Image<'a> {
        let area = image.size().area() as usize;
        let (luminance, color) = (drawn.luminance.units(area, scratch), drawn.color.normals(area, scratch));
        let full = self.full;
        match image.values_mut() {
            ValuesMut::U8(values) => {
                let (pixels, unit) = (values.as_chunks_mut::<3>().0, std::array::from_fn(|x| x as f32 / 255.0));
                let noise = Amounts::new(drawn, pixels.iter().map(|pixel| pixel.map(|x| unit[usize::from(x)])));
                Bytes { pixels, unit: &unit, events: &luminance, normals: &color, noise }.dispatch();
            }
            ValuesMut::F32(values) => {
                let pixels = values.as_chunks_mut::<3>().0;
                let noise = Amounts::new(drawn, pixels.iter().map(|pixel| pixel.map(|x| x / full)));
                for ((pixel, events), z) in pixels.iter_mut().zip(&luminance).zip(&color) {
                    *pixel = noise.spoiled(pixel.map(|x| x / full), *events, *z).map(|x| x * full);
                }
            }
        }
        recycle(luminance, scratch);
        recycle(color, scratch);
        image
    }
}

/// All pixels of 8 bits.
struct Bytes<'a> {
    pixels: &'a mut [[u8; 3]],
    /// Each of the 256 values, from 0 to 1.
    unit: &'a [f32; 256],
    events: &'a [f32],
    normals: &'a [f32],
    noise: Amounts,
}

impl Kernel for Bytes<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for ((pixel, events), z) in self.pixels.iter_mut().zip(self.events).zip(self.normals) {
            let [r, g, b] = *pixel;
            let unit = [self.unit[usize::from(r)], self.unit[usize::from(g)], self.unit[usize::from(b)]];
            let [r, g, b] = self.noise.spoiled(unit, *events, *z);
            *pixel = [byte(r), byte(g), byte(b)];
        }
    }
}

/// A value from 0 to 1 in 8 bits.
#[inline(always)]
fn byte(x: f32) -> u8 {
    (x * 255.0).round_ties_even() as u8
}

/// How much noise an image gets.
struct Amounts {
    /// Of the hue, in degrees.
    deviation: f64,
    intensity: f64,
    /// Events expected in a pixel; none if the events are given.
    expected: Option<f64>,
    /// Chance of no event.
    none: f32,
}

impl Amounts {
    fn new(drawn: &Drawn, pixels: impl Iterator<Item = [f32; 3]>) -> Self {
        let (mut sum, mut squares, mut count) = (0.0, 0.0, 0.0);
        for pixel in pixels {
            let lightness = f64::from(lightness(pixel));
            sum += lightness;
            squares += lightness * lightness;
            count += 1.0;
        }
        let mean = sum / f64::max(count, 1.0);
        let deviation = (squares / f64::max(count, 1.0) - mean * mean).max(0.0).sqrt();
        let expected = (deviation * drawn.intensity).clamp(0.0, MOST_EXPECTED);
        let given = matches!(drawn.luminance, Noise::Given(_));
        Amounts {
            deviation: drawn.color_shift * drawn.intensity,
            intensity: drawn.intensity,
            expected: (!given).then_some(expected),
            none: libm::exp(-expected) as f32,
        }
    }

    #[inline(always)]
    fn spoiled(&self, pixel: [f32; 3], number: f32, z: f32) -> [f32; 3] {
        let events = match self.expected {
            Some(_) if number < self.none => 0.0,
            Some(expected) => poisson::count(expected, number, || 0.0),
            None => f64::from(number),
        };
        let [hue, lightness, saturation] = hls(pixel);
        let hue = (f64::from(hue) + f64::from(z) * self.deviation) as f32;
        let more = events * self.intensity * f64::from(1.0 - lightness);
        let lightness = ((f64::from(lightness) + more) as f32).clamp(0.0, 1.0);
        let [r, g, b] = rgb([hue, lightness, saturation]);
        [r.clamp(0.0, 1.0), g.clamp(0.0, 1.0), b.clamp(0.0, 1.0)]
    }
}

#[inline(always)]
fn lightness([r, g, b]: [f32; 3]) -> f32 {
    (r.max(g).max(b) + r.min(g).min(b)) * 0.5
}

/// Hue in degrees, lightness and saturation from 0 to 1.
#[inline(always)]
fn hls([r, g, b]: [f32; 3]) -> [f32; 3] {
    let (high, low) = (r.max(g).max(b), r.min(g).min(b));
    let (difference, sum) = (high - low, high + low);
    let lightness = sum * 0.5;
    if difference <= f32::EPSILON || difference.is_nan() {
        return [0.0, lightness, 0.0];
    }
    let saturation = difference / if lightness < 0.5 { sum } else { 2.0 - high - low };
    let sixth = 60.0 / difference;
    let hue = match high {
        high if high == r => (g - b) * sixth,
        high if high == g => (b - r) * sixth + 120.0,
        _ => (r - g) * sixth + 240.0,
    };
    [if hue < 0.0 { hue + 360.0 } else { hue }, lightness, saturation]
}

/// The way back.
#[inline(always)]
fn rgb([hue, lightness, saturation]: [f32; 3]) -> [f32; 3] {
    if saturation == 0.0 {
        return [lightness; 3];
    }
    let product = lightness * saturation;
    let high = if lightness <= 0.5 { lightness + product } else { lightness + saturation - product };
    let low = 2.0 * lightness - high;
    let sixths = hue * (6.0 / 360.0);
    let sector = sixths.floor();
    let part = sixths - sector;
    let (falling, rising) = (low + (high - low) * (1.0 - part), low + (high - low) * part);
    // A cast saturates.
    match (sector as i32).rem_euclid(6) {
        0 => [high, rising, low],
        1 => [falling, high, low],
        2 => [low, high, rising],
        3 => [low, falling, high],
        4 => [rising, low, high],
        _ => [high, low, falling],
    }
}

/// Most events that may be expected in a pixel: summed chances go so far.
const MOST_EXPECTED: f64 = 64.0;
