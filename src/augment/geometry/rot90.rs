use feedline_proto::v1;

use crate::augment::op::{About, Built, Op, Refusal, Scratch, Targets, either};
use crate::image::{Form, Image, Pixels, Size, ValuesMut};
use crate::sample::{Geometry, Sample};
use crate::seed::Rng;

/// Turns counter-clockwise by quarters drawn from a list.
struct Rot90 {
    /// Not empty, each below 4.
    turns: Vec<u32>,
}

pub(in crate::augment) const ABOUT: About = About {
    version: 1,
    equals: "Turns counter-clockwise by quarters drawn from a list: `tf.image.rot90`, `numpy.rot90`, `albumentations.RandomRotate90` (all
four, none included). Exact.",
    targets: Targets::All,
    example: "rot90 = { turns = [1, 2, 3] }",
};

pub(in crate::augment) fn from_message(message: &v1::Rot90, input: Form) -> Result<Built, Refusal> {
    if message.turns.is_empty() || message.turns.iter().any(|turns| *turns > 3) {
        return Err(Refusal::new("turns", format!("{:?}", message.turns), "numbers of quarter turns, each 0 to 3"));
    }
    let turned = Form { smallest: input.smallest.transposed(), largest: input.largest.transposed(), ..input };
    let odd = message.turns.iter().filter(|turns| *turns % 2 == 1).count();
    let output = match message.turns.len() - odd {
        0 => turned,
        _ if odd == 0 => input,
        _ => either(input, turned)?,
    };
    Built::maybe(Rot90 { turns: message.turns.clone() }, message.p, input, output)
}

impl Op for Rot90 {
    /// Quarter turns.
    type Params = u32;
    const NAME: &'static str = "rot90";

    fn draw(&self, rng: &mut Rng, _: &Sample<'_>) -> u32 {
        self.turns[rng.below(self.turns.len() as u64) as usize]
    }

    fn apply<'a>(&self, turns: &u32, image: Image<'a>, scratch: &mut Scratch) -> Image<'a> {
        match turns % 4 {
            0 => image,
            2 => half_turned(image),
            odd => turned(image, if odd == 1 { [true, false] } else { [false, true] }, scratch),
        }
    }

    fn geometry(&self, turns: &u32, size: Size) -> Option<Geometry> {
        Some(Geometry::quarter_turns(*turns, size))
    }
}

/// The image upside down: turned by two quarters.
pub(super) fn half_turned(mut image: Image<'_>) -> Image<'_> {
    let channels = image.channels();
    match image.values_mut() {
        ValuesMut::U8(values) => reverse_pixels(values, channels),
        ValuesMut::F32(values) => reverse_pixels(values, channels),
    }
    image
}

fn reverse_pixels<T: Copy>(values: &mut [T], channels: usize) {
    match channels {
        3 => values.as_chunks_mut::<3>().0.reverse(),
        _ => values.reverse(),
    }
}

/// The image with its rows as columns, which come from the right instead of the left of the image, and whose pixels come from
/// its bottom instead of its top, if `from_end` says so: with one of them a quarter turn, counter-clockwise for the first.
pub(super) fn turned<'a>(image: Image<'a>, from_end: [bool; 2], scratch: &mut Scratch) -> Image<'a> {
    let (size, channels) = (image.size(), image.channels());
    let turned = match image.pixels() {
        Pixels::U8(values) => {
            let mut out = scratch.bytes(values.len());
            match channels {
                3 => turn(values.as_chunks::<3>().0, out.as_chunks_mut::<3>().0, size, from_end),
                _ => turn(values, &mut out, size, from_end),
            }
            Image::from_u8(size.transposed(), channels, out)
        }
        Pixels::F32(values) => {
            let mut out = scratch.floats(values.len());
            match channels {
                3 => turn(values.as_chunks::<3>().0, out.as_chunks_mut::<3>().0, size, from_end),
                _ => turn(values, &mut out, size, from_end),
            }
            Image::from_f32(size.transposed(), channels, out)
        }
    };
    scratch.recycle(image);
    turned
}

/// Writes pixels of an image of `size` to where they stand after a quarter turn. Tile by tile, so that the columns read and the
/// rows written stay in the cache.
fn turn<P: Copy>(pixels: &[P], out: &mut [P], size: Size, [from_right, from_bottom]: [bool; 2]) {
    const TILE: usize = 32;
    let (width, height) = (size.width as usize, size.height as usize);
    for (band, rows) in out.chunks_mut(TILE * height).enumerate() {
        for first in (0..height).step_by(TILE) {
            let columns = first..(first + TILE).min(height);
            for (row, out) in rows.chunks_exact_mut(height).enumerate() {
                let row = band * TILE + row;
                for column in columns.clone() {
                    let x = if from_right { width - 1 - row } else { row };
                    let y = if from_bottom { height - 1 - column } else { column };
                    out[column] = pixels[y * width + x];
                }
            }
        }
    }
}
