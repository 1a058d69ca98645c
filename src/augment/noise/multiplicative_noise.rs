use feedline_proto::v1;
use serde::{Deserialize, Serialize};

use super::{Noise, clamp, cut, full_scale, range, recycle};
use crate::augment::op::{About, Built, Op, Refusal, Scratch, Targets};
use crate::image::{Form, Image, ValuesMut};
use crate::sample::Sample;
use crate::seed::Rng;
use crate::simd::Kernel;

/// Multiplies with random numbers.
struct MultiplicativeNoise {
    multiplier: [f64; 2],
    per_channel: bool,
    elementwise: bool,
    full: f32,
}

/// One number for all, or one for each channel; or one for each pixel, or for each of its values.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Multipliers {
    #[serde(default)]
    multiplier: Vec<f64>,
    /// Uniform in [0, 1): from the smallest multiplier to the greatest.
    #[serde(default)]
    field: Option<Noise>,
}

pub(in crate::augment) const ABOUT: About = About {
    version: 1,
    equals: "Multiplies with random numbers: `albumentations.MultiplicativeNoise` with the same numbers. Exact.",
    targets: Targets::Image,
    example: "multiplicative_noise = { multiplier = [0.5, 1.5], elementwise = true, p = 1 }",
};

pub(in crate::augment) fn from_message(message: &v1::MultiplicativeNoise, input: Form) -> Result<Built, Refusal> {
    let v1::MultiplicativeNoise { multiplier, per_channel, elementwise, p } = message;
    let op = MultiplicativeNoise {
        multiplier: range("multiplier", multiplier)?,
        per_channel: *per_channel,
        elementwise: *elementwise,
        full: full_scale(input)?,
    };
    Built::maybe(op, *p, input, input)
}

impl Op for MultiplicativeNoise {
    type Params = Multipliers;
    const NAME: &'static str = "multiplicative_noise";

    fn draw(&self, rng: &mut Rng, sample: &Sample<'_>) -> Multipliers {
        if self.elementwise {
            return Multipliers { multiplier: Vec::new(), field: Some(Noise::draw(rng)) };
        }
        let count = if self.per_channel { sample.image.channels() } else { 1 };
        Multipliers { multiplier: (0..count).map(|_| rng.uniform(self.multiplier)).collect(), field: None }
    }

    fn apply<'a>(&self, params: &Multipliers, mut image: Image<'a>, scratch: &mut Scratch) -> Image<'a> {
        let (full, channels) = (self.full, image.channels());
        let Some(field) = &params.field else {
            let number = |channel: usize| params.multiplier.get(channel).or(params.multiplier.first()).unwrap_or(&1.0);
            let pattern: [f32; PATTERN] = std::array::from_fn(|at| *number(at % channels) as f32);
            match image.values_mut() {
                ValuesMut::U8(values) => Bytes { values, pattern }.dispatch(),
                ValuesMut::F32(values) => Floats { values, pattern, full }.dispatch(),
            }
            return image;
        };
        let repeats = if self.per_channel { 1 } else { channels };
        let length = image.size().area() as usize * channels / repeats;
        let numbers = field.units(length, scratch);
        let [low, high] = self.multiplier.map(|x| x as f32);
        let each = Each { numbers: &numbers, repeats, low, width: high - low };
        match image.values_mut() {
            ValuesMut::U8(values) => each.apply(values, |x, m| cut(f32::from(x) * m)),
            ValuesMut::F32(values) => each.apply(values, |x, m| clamp(x * m, full)),
        }
        recycle(numbers, scratch);
        image
    }
}

/// A number for each value, or for each of `repeats`.
struct Each<'a> {
    numbers: &'a [f32],
    repeats: usize,
    low: f32,
    width: f32,
}

impl Each<'_> {
    fn apply<T: Copy>(self, values: &mut [T], f: impl Fn(T, f32) -> T) {
        let Each { numbers, repeats, low, width } = self;
        Pairs { numbers, repeats, values, f: |x, unit| f(x, low + width * unit) }.dispatch();
    }
}

/// Makes each value `f` of it and its number; `f` must be small enough to be inlined.
pub(super) struct Pairs<'a, T, F> {
    pub(super) numbers: &'a [f32],
    /// Values that have the same number: 1 or 3.
    pub(super) repeats: usize,
    pub(super) values: &'a mut [T],
    pub(super) f: F,
}

impl<T: Copy, F: Fn(T, f32) -> T> Kernel for Pairs<'_, T, F> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        if self.repeats == 3 {
            for (pixel, number) in self.values.as_chunks_mut::<3>().0.iter_mut().zip(self.numbers) {
                *pixel = [(self.f)(pixel[0], *number), (self.f)(pixel[1], *number), (self.f)(pixel[2], *number)];
            }
        } else {
            let (chunks, rest) = self.values.as_chunks_mut::<32>();
            let (numbers, numbers_rest) = self.numbers.as_chunks::<32>();
            for (chunk, numbers) in chunks.iter_mut().zip(numbers) {
                for lane in 0..32 {
                    chunk[lane] = (self.f)(chunk[lane], numbers[lane]);
                }
            }
            rest.iter_mut().zip(numbers_rest).for_each(|(x, number)| *x = (self.f)(*x, *number));
        }
    }
}

struct Bytes<'a> {
    values: &'a mut [u8],
    pattern: [f32; PATTERN],
}

impl Kernel for Bytes<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let (chunks, rest) = self.values.as_chunks_mut::<PATTERN>();
        for chunk in chunks {
            chunk.iter_mut().zip(self.pattern).for_each(|(x, m)| *x = cut(f32::from(*x) * m));
        }
        rest.iter_mut().zip(self.pattern).for_each(|(x, m)| *x = cut(f32::from(*x) * m));
    }
}

struct Floats<'a> {
    values: &'a mut [f32],
    pattern: [f32; PATTERN],
    full: f32,
}

impl Kernel for Floats<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for chunk in self.values.chunks_mut(PATTERN) {
            chunk.iter_mut().zip(self.pattern).for_each(|(x, m)| *x = clamp(*x * m, self.full));
        }
    }
}

/// Numbers of a pattern that begins anew with a pixel of either kind: a multiple of 3 and of a vector's lanes.
const PATTERN: usize = 48;
