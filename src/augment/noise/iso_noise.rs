use feedline_proto::v1;
use serde::{Deserialize, Serialize};

use super::{Noise, clamp, full_scale, poisson, range, recycle};
use crate::augment::op::{About, Built, Op, Refusal, Scratch, Targets};
use crate::image::{Form, Image, ValuesMut};
use crate::sample::Sample;
use crate::seed::Rng;
use crate::simd::Kernel;

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
        let (mut luminance, color) = (drawn.luminance.units(area, scratch), drawn.color.normals(area, scratch));
        let full = self.full;
        match image.values_mut() {
            ValuesMut::U8(values) => {
                let pixels = values.as_chunks_mut::<3>().0;
                let unit: [f32; 256] = std::array::from_fn(|x| x as f32 / 255.0);
                let noise = Amounts::new(drawn, pixels.iter().map(|pixel| pixel.map(|x| unit[usize::from(x)])));
                noise.count(&mut luminance);
                Spoil { pixels, events: &luminance, normals: &color, noise, full: 255.0 }.dispatch();
            }
            ValuesMut::F32(values) => {
                let pixels = values.as_chunks_mut::<3>().0;
                let noise = Amounts::new(drawn, pixels.iter().map(|pixel| pixel.map(|x| x / full)));
                noise.count(&mut luminance);
                Spoil { pixels, events: &luminance, normals: &color, noise, full }.dispatch();
            }
        }
        recycle(luminance, scratch);
        recycle(color, scratch);
        image
    }
}

/// All pixels, some at once: the three channels of each by themselves, and selections in place of branches.
struct Spoil<'a, T> {
    pixels: &'a mut [[T; 3]],
    events: &'a [f32],
    normals: &'a [f32],
    noise: Amounts,
    full: f32,
}

impl<T: Value> Kernel for Spoil<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Spoil { pixels, events, normals, noise, full } = self;
        let numbers = events.chunks(LANES).zip(normals.chunks(LANES));
        for (pixels, (events, normals)) in pixels.chunks_mut(LANES).zip(numbers) {
            let (mut red, mut green, mut blue) = ([0.0; LANES], [0.0; LANES], [0.0; LANES]);
            let (mut event, mut normal) = ([0.0; LANES], [0.0; LANES]);
            event[..events.len()].copy_from_slice(events);
            normal[..normals.len()].copy_from_slice(normals);
            for (lane, pixel) in pixels.iter().enumerate().take(LANES) {
                (red[lane], green[lane], blue[lane]) = (pixel[0].float(), pixel[1].float(), pixel[2].float());
            }
            for lane in 0..LANES {
                let pixel = [red[lane] / full, green[lane] / full, blue[lane] / full];
                let [r, g, b] = noise.spoiled(pixel, event[lane], normal[lane]);
                (red[lane], green[lane], blue[lane]) = (r * full, g * full, b * full);
            }
            for (lane, pixel) in pixels.iter_mut().enumerate().take(LANES) {
                *pixel = [T::of(red[lane]), T::of(green[lane]), T::of(blue[lane])];
            }
        }
    }
}

/// A value of an image. Both must be `#[inline(always)]`.
trait Value: Copy {
    fn float(self) -> f32;
    fn of(x: f32) -> Self;
}

impl Value for u8 {
    #[inline(always)]
    fn float(self) -> f32 {
        f32::from(self)
    }

    #[inline(always)]
    fn of(x: f32) -> u8 {
        x.round_ties_even() as u8
    }
}

impl Value for f32 {
    #[inline(always)]
    fn float(self) -> f32 {
        self
    }

    #[inline(always)]
    fn of(x: f32) -> f32 {
        x
    }
}

/// How much noise an image gets.
struct Amounts {
    /// Of the hue, in degrees.
    deviation: f32,
    intensity: f32,
    /// Events expected in a pixel; none if the events are given.
    expected: Option<f64>,
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
        let given = matches!(drawn.luminance, Noise::Given(_));
        Amounts {
            deviation: (drawn.color_shift * drawn.intensity) as f32,
            intensity: drawn.intensity as f32,
            expected: (!given).then_some((deviation * drawn.intensity).clamp(0.0, MOST_EXPECTED)),
        }
    }

    /// Makes events of uniform numbers, unless they are events.
    fn count(&self, numbers: &mut [f32]) {
        let Some(expected) = self.expected else { return };
        // That nothing happens is the usual case.
        let none = libm::exp(-expected);
        for number in numbers {
            let quiet = f64::from(*number) < none;
            *number = if quiet { 0.0 } else { poisson::count(expected, *number, || 0.0) as f32 };
        }
    }

    #[inline(always)]
    fn spoiled(&self, pixel: [f32; 3], events: f32, z: f32) -> [f32; 3] {
        let [hue, lightness, saturation] = hls(pixel);
        let hue = hue + z * self.deviation;
        let lightness = unit(lightness + events * self.intensity * (1.0 - lightness));
        let [r, g, b] = rgb([hue, lightness, saturation]);
        [unit(r), unit(g), unit(b)]
    }
}

/// `x` clamped to 0 to 1; NaN is 0.
#[inline(always)]
fn unit(x: f32) -> f32 {
    clamp(x, 1.0)
}

#[inline(always)]
fn greater(a: f32, b: f32) -> f32 {
    if a > b { a } else { b }
}

#[inline(always)]
fn smaller(a: f32, b: f32) -> f32 {
    if a < b { a } else { b }
}

#[inline(always)]
fn lightness([r, g, b]: [f32; 3]) -> f32 {
    (greater(greater(r, g), b) + smaller(smaller(r, g), b)) * 0.5
}

/// Hue in degrees, lightness and saturation from 0 to 1.
#[inline(always)]
fn hls([r, g, b]: [f32; 3]) -> [f32; 3] {
    let (high, low) = (greater(greater(r, g), b), smaller(smaller(r, g), b));
    let (difference, sum) = (high - low, high + low);
    let lightness = sum * 0.5;
    let coloured = difference > f32::EPSILON;
    let room = if lightness < 0.5 { sum } else { 2.0 - high - low };
    let saturation = difference / if coloured { room } else { 1.0 };
    let sixth = 60.0 / if coloured { difference } else { 1.0 };
    let (of_green, of_blue) = ((b - r) * sixth + 120.0, (r - g) * sixth + 240.0);
    let hue = if high == g { of_green } else { of_blue };
    let hue = if high == r { (g - b) * sixth } else { hue };
    [if coloured { hue } else { 0.0 }, lightness, if coloured { saturation } else { 0.0 }]
}

/// The way back, from a hue of any number of turns.
#[inline(always)]
fn rgb([hue, lightness, saturation]: [f32; 3]) -> [f32; 3] {
    let product = lightness * saturation;
    let high = if lightness <= 0.5 { lightness + product } else { lightness + saturation - product };
    let low = 2.0 * lightness - high;
    let sixths = hue * (6.0 / 360.0);
    let sixths = sixths - 6.0 * (sixths * (1.0 / 6.0)).floor();
    // How far a channel is from its own hue decides: full up to one sixth, none from two on, in between in between.
    let channel = |centre: f32| {
        let away = (sixths - centre).abs();
        let away = smaller(away, 6.0 - away);
        low + (high - low) * unit(2.0 - away)
    };
    let made = [channel(0.0), channel(2.0), channel(4.0)];
    if saturation == 0.0 { [lightness; 3] } else { made }
}

/// Most events that may be expected in a pixel: summed chances go so far.
const MOST_EXPECTED: f64 = 64.0;
/// Pixels at once.
const LANES: usize = 16;
