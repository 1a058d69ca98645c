use feedline_proto::v1;

use super::border::Beyond;
use super::{Sides, odd, separable};
use crate::augment::op::{About, Built, Op, Refusal, Scratch, Targets};
use crate::image::{Form, Image, Size, ValuesMut};
use crate::sample::Sample;
use crate::seed::Rng;
use crate::simd::{Kernel, Level};

/// Mean of a square around each pixel.
struct BoxBlur {
    sides: Sides,
}

pub(in crate::augment) const ABOUT: About = About {
    version: 1,
    equals: "Mean of a square around each pixel, per channel: `albumentations.Blur`, OpenCV's `blur`. 8 bits exact; floats within 1e-6
of the full scale, since OpenCV sums them in 64 bits.",
    targets: Targets::Image,
    example: "box_blur = { kernel_size = [3, 7], p = 1 }",
};

pub(in crate::augment) fn from_message(message: &v1::BoxBlur, input: Form) -> Result<Built, Refusal> {
    let op = BoxBlur { sides: Sides::new("kernel_size", &message.kernel_size)? };
    Built::maybe(op, message.p, input, input)
}

impl Op for BoxBlur {
    /// Side of the square in pixels.
    type Params = u32;
    const NAME: &'static str = "box_blur";

    fn draw(&self, rng: &mut Rng, _: &Sample<'_>) -> u32 {
        self.sides.draw(rng)
    }

    fn apply<'a>(&self, side: &u32, mut image: Image<'a>, scratch: &mut Scratch) -> Image<'a> {
        let (size, channels, side) = (image.size(), image.channels(), odd(*side));
        match image.values_mut() {
            ValuesMut::U8(values) => bytes(Level::current(), values, size, channels, side, scratch),
            ValuesMut::F32(_) => {
                let weights = [1.0; 32];
                separable::convolve(&mut image, &weights[..=side / 2], 1.0 / (side * side) as f32, None, scratch);
            }
        }
        image
    }
}

/// Whole numbers all the way: columns are summed as the square moves down, rows by adding shifted copies or by moving along.
pub(super) fn bytes(level: Level, values: &mut [u8], size: Size, channels: usize, side: usize, scratch: &mut Scratch) {
    let (width, height, radius) = (size.width as usize * channels, size.height as usize, side / 2);
    if radius == 0 || width == 0 {
        return;
    }
    let mut source = scratch.bytes(values.len());
    source.copy_from_slice(values);
    let row = |y: i64| {
        let start = Beyond::Reflect.index(y, height) * width;
        &source[start..start + width]
    };
    // At most 63 rows of 255.
    let mut columns = vec![0_u16; width];
    for y in -(radius as i64)..=radius as i64 {
        columns.iter_mut().zip(row(y)).for_each(|(sum, x)| *sum += u16::from(*x));
    }
    let mut padded = vec![0_u16; width + 2 * radius * channels];
    for (y, out) in values.chunks_exact_mut(width).enumerate() {
        Beyond::Reflect.pad(&columns, channels, radius, &mut padded, |x| x);
        Means { padded: &padded, channels, side, out }.run_at(level);
        let (next, last) = (row((y + radius + 1) as i64), row(y as i64 - radius as i64));
        Moved { columns: &mut columns, next, last }.run_at(level);
    }
    scratch.recycle(Image::from_u8(size, channels, source));
}

/// The sums of columns, one row further down.
struct Moved<'a> {
    columns: &'a mut [u16],
    next: &'a [u8],
    last: &'a [u8],
}

impl Kernel for Moved<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for ((sum, next), last) in self.columns.iter_mut().zip(self.next).zip(self.last) {
            // The last row's values are part of the sum.
            *sum = sum.wrapping_add(u16::from(*next)).wrapping_sub(u16::from(*last));
        }
    }
}

/// One row of means, of padded sums of columns.
struct Means<'a> {
    padded: &'a [u16],
    channels: usize,
    side: usize,
    out: &'a mut [u8],
}

impl Kernel for Means<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Means { padded, channels, side, out } = self;
        let weight = 1.0 / (side * side) as f32;
        if side > MOST_ADDED {
            for channel in 0..channels {
                let columns = || padded.iter().skip(channel).step_by(channels).map(|x| u32::from(*x));
                let mut sum: u32 = columns().take(side - 1).sum();
                let moving = columns().skip(side - 1).zip(columns());
                for (to, (next, last)) in out.iter_mut().skip(channel).step_by(channels).zip(moving) {
                    sum += next;
                    *to = rounded(sum, weight);
                    sum -= last;
                }
            }
            return;
        }
        let (chunks, rest) = out.as_chunks_mut::<LANES>();
        let mut at = 0;
        for chunk in chunks {
            // At most 225 values of 255.
            let mut sums = [0_u16; LANES];
            for column in 0..side {
                let values: &[u16; LANES] =
                    padded[at + column * channels..].first_chunk().expect("padded reaches the last column's chunk");
                for lane in 0..LANES {
                    sums[lane] += values[lane];
                }
            }
            for lane in 0..LANES {
                chunk[lane] = rounded(u32::from(sums[lane]), weight);
            }
            at += LANES;
        }
        for (to, at) in rest.iter_mut().zip(at..) {
            *to = rounded((0..side).map(|column| u32::from(padded[at + column * channels])).sum(), weight);
        }
    }
}

/// The mean of values whose sum is given. An odd number of values has no half, and no sum is so near to one that the rounding of
/// the product matters.
#[inline(always)]
#[allow(unsafe_code)]
fn rounded(sum: u32, weight: f32) -> u8 {
    // SAFETY: a mean of values from 0 to 255, and a half. A checked cast does not become vectors.
    unsafe { (sum as i32 as f32 * weight + 0.5).to_int_unchecked::<i32>() as u8 }
}

/// Longest side whose sums stay within 16 bits.
const MOST_ADDED: usize = 15;
/// Values at once.
const LANES: usize = 32;
