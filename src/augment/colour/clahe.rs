use feedline_proto::v1;

use super::by_bytes::{Conversion, by_bytes};
use super::lab::{Colour, Lightness};
use super::pointwise::cut;
use super::{full_scale, range};
use crate::augment::op::{About, Built, Op, Refusal, Scratch, Targets};
use crate::image::{Form, Image, Size, ValuesMut};
use crate::sample::Sample;
use crate::seed::Rng;
use crate::simd::Kernel;

/// Equalizes tile by tile.
struct Clahe {
    clip_limit: [f64; 2],
    /// Columns and rows, at most 64 each.
    tiles: [u32; 2],
    full: f32,
}

pub(in crate::augment) const ABOUT: About = About {
    version: 1,
    equals: "Equalizes the values tile by tile, with a limit to the contrast: `cv2.createCLAHE`, `albumentations.CLAHE`, of three channels
on the lightness of OpenCV's 8-bit LAB. Exact but for the last place of interpolated values where OpenCV fuses multiplications with
additions: one lightness in a thousand may differ by 1. Floats by way of 8 bits.",
    targets: Targets::Image,
    example: "clahe = { clip_limit = [1, 6], p = 1 }",
};

pub(in crate::augment) fn from_message(message: &v1::Clahe, input: Form) -> Result<Built, Refusal> {
    let tiles = <[u32; 2]>::try_from(&message.tile_grid_size[..]).ok();
    let tiles = tiles.filter(|tiles| tiles.iter().all(|count| (1..=64).contains(count)));
    let found = || format!("{:?}", message.tile_grid_size);
    let op = Clahe {
        clip_limit: range("clip_limit", &message.clip_limit)?,
        tiles: tiles.ok_or_else(|| Refusal::new("tile_grid_size", found(), "two whole numbers from 1 to 64"))?,
        full: full_scale(input)?,
    };
    Built::maybe(op, message.p, input, input)
}

impl Op for Clahe {
    /// The limit.
    type Params = f64;
    const NAME: &'static str = "clahe";

    fn draw(&self, rng: &mut Rng, _: &Sample<'_>) -> f64 {
        rng.uniform(self.clip_limit)
    }

    fn apply<'a>(&self, clip_limit: &f64, mut image: Image<'a>, scratch: &mut Scratch) -> Image<'a> {
        let (size, channels) = (image.size(), image.channels());
        if size.area() == 0 {
            return image;
        }
        match image.values_mut() {
            ValuesMut::U8(values) => self.bytes(values, size, channels, *clip_limit),
            ValuesMut::F32(values) => {
                let change = |values: &mut [u8]| self.bytes(values, size, channels, *clip_limit);
                by_bytes(values, self.full, Conversion::Albumentations, scratch, change);
            }
        }
        image
    }
}

impl Clahe {
    fn bytes(&self, values: &mut [u8], size: Size, channels: usize, clip_limit: f64) {
        let grid = Grid::new(size, self.tiles);
        if channels != 3 {
            let tables = grid.tables(values, 1, clip_limit);
            return grid.interpolate(values, 1, &tables);
        }
        Lightness::new().apply(values.as_chunks_mut().0);
        let tables = grid.tables(values, 3, clip_limit);
        grid.interpolate(values, 3, &tables);
        Colour::new().apply(values.as_chunks_mut().0);
    }
}

/// How an image is cut into tiles: all of the same size, the last ones continued by what the image's edge mirrors.
struct Grid {
    size: Size,
    /// Columns and rows.
    tiles: [usize; 2],
    tile_width: usize,
    tile_height: usize,
}

impl Grid {
    /// `size` is not empty, and there are tiles.
    fn new(size: Size, tiles: [u32; 2]) -> Self {
        let [columns, rows] = tiles;
        let (width, height) = match (size.width % columns, size.height % rows) {
            (0, 0) => (size.width, size.height),
            // As OpenCV: a side without a remainder is continued by a whole tile's worth.
            (x, y) => (size.width.saturating_add(columns - x), size.height.saturating_add(rows - y)),
        };
        Grid {
            size,
            tiles: tiles.map(|count| count as usize),
            tile_width: (width / columns) as usize,
            tile_height: (height / rows) as usize,
        }
    }

    /// The table of each tile, row by row, of the first of `channels`.
    fn tables(&self, values: &[u8], channels: usize, clip_limit: f64) -> Vec<[u8; 256]> {
        let [columns, rows] = self.tiles;
        let (width, height) = (self.size.width as usize, self.size.height as usize);
        let area = self.tile_width * self.tile_height;
        // A cast saturates: of a limit that is none, nothing is cut off but what must be.
        let limit = ((clip_limit * area as f64 / 256.0) as u32).max(1);
        let scale = 255.0 / area as f32;
        let mut tables = Vec::with_capacity(columns * rows);
        for row in 0..rows {
            for column in 0..columns {
                let mut counts = [0_u32; 256];
                let columns = column * self.tile_width..(column + 1) * self.tile_width;
                for y in row * self.tile_height..(row + 1) * self.tile_height {
                    let line = &values[mirrored(y, height) * width * channels..][..width * channels];
                    let inside = columns.start.min(width)..columns.end.min(width);
                    let pixels = line[inside.start * channels..inside.end * channels].chunks_exact(channels);
                    pixels.for_each(|pixel| counts[usize::from(pixel[0])] += 1);
                    for x in columns.start.max(width)..columns.end {
                        counts[usize::from(line[mirrored(x, width) * channels])] += 1;
                    }
                }
                clip(&mut counts, limit);
                let mut sum = 0_u32;
                tables.push(counts.map(|count| {
                    sum += count;
                    cut((sum as f32 * scale + ROUND) - ROUND)
                }));
            }
        }
        tables
    }

    /// Makes the first of `channels` of each pixel what the tables of the four nearest tiles make of it.
    fn interpolate(&self, values: &mut [u8], channels: usize, tables: &[[u8; 256]]) {
        let [columns, rows] = self.tiles;
        let width = self.size.width as usize;
        let places: Vec<Place> = (0..width).map(|x| Place::new(x, self.tile_width, columns)).collect();
        let along: Vec<f32> = places.iter().map(|place| place.along).collect();
        // Neighbours between the same tiles go together.
        let runs: Vec<&[Place]> = places.chunk_by(|a, b| (a.before, a.after) == (b.before, b.after)).collect();
        // For each run of columns, what the four tables around it make of each value: one look-up instead of four.
        let mut quads: Vec<[u32; 256]> = vec![[0; 256]; runs.len()];
        let (mut corners, mut made) = (vec![0; width], vec![0; width]);
        let mut band = None;
        for (y, line) in values.chunks_exact_mut(width * channels).enumerate() {
            let place = Place::new(y, self.tile_height, rows);
            if band.replace((place.before, place.after)) != Some((place.before, place.after)) {
                let above = &tables[place.before * columns..][..columns];
                let below = &tables[place.after * columns..][..columns];
                for (quad, run) in quads.iter_mut().zip(&runs) {
                    let (before, after) = (run[0].before, run[0].after);
                    let around = [&above[before], &above[after], &below[before], &below[after]];
                    *quad = std::array::from_fn(|x| u32::from_le_bytes(around.map(|table| table[x])));
                }
            }
            let mut pixels = line.chunks_exact(channels);
            let mut corner = corners.iter_mut();
            for (quad, run) in quads.iter().zip(&runs) {
                for (corner, pixel) in corner.by_ref().take(run.len()).zip(&mut pixels) {
                    *corner = quad[usize::from(pixel[0])];
                }
            }
            Blend { corners: &corners, along: &along, down: place.along, made: &mut made }.dispatch();
            line.chunks_exact_mut(channels).zip(&made).for_each(|(pixel, made)| pixel[0] = *made);
        }
    }
}

/// A row between four values each, by its place between the middles of tiles.
struct Blend<'a> {
    /// Left above, right above, left below, right below, from the lowest byte up.
    corners: &'a [u32],
    along: &'a [f32],
    down: f32,
    made: &'a mut [u8],
}

impl Kernel for Blend<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let (ya, ya1) = (self.down, 1.0 - self.down);
        for ((made, xa), corners) in self.made.iter_mut().zip(self.along).zip(self.corners) {
            // As signed numbers, which vectors of every level can make floats of.
            let corner = |index: u32| ((corners >> (8 * index)) & 255) as i32 as f32;
            let xa1 = 1.0 - xa;
            let upper = corner(0) * xa1 + corner(1) * xa;
            let lower = corner(2) * xa1 + corner(3) * xa;
            let value = upper * ya1 + lower * ya;
            // The sum leaves the nearest whole number, the even one of two.
            *made = cut((value + ROUND) - ROUND);
        }
    }
}

/// Added to a float below 2^22 and taken away again, it leaves no fraction.
const ROUND: f32 = 12_582_912.0;

/// Where a row or column lies between the middles of two tiles.
struct Place {
    before: usize,
    after: usize,
    along: f32,
}

impl Place {
    fn new(at: usize, tile: usize, tiles: usize) -> Self {
        let place = at as f32 * (1.0 / tile as f32) - 0.5;
        let before = place.floor();
        // Before the first middle the cast saturates to the first tile.
        Place {
            before: (before as usize).min(tiles - 1),
            after: ((before + 1.0) as usize).min(tiles - 1),
            along: place - before,
        }
    }
}

/// `at`, mirrored at the last of `count` without repeating it, and back at the first.
fn mirrored(at: usize, count: usize) -> usize {
    if at < count {
        return at;
    }
    let period = 2 * (count - 1);
    // One row or column is its own mirror.
    let at = at.checked_rem(period).unwrap_or(0);
    at.min(period - at)
}

/// Cuts counts off at `limit` and gives what was cut off to all in equal parts, the rest to some at equal distances.
fn clip(counts: &mut [u32; 256], limit: u32) {
    let mut clipped = 0;
    for count in counts.iter_mut() {
        clipped += count.saturating_sub(limit);
        *count = (*count).min(limit);
    }
    counts.iter_mut().for_each(|count| *count += clipped / 256);
    let rest = clipped as usize % 256;
    if let Some(step) = 256_usize.checked_div(rest) {
        counts.iter_mut().step_by(step.max(1)).take(rest).for_each(|count| *count += 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edges_are_mirrored_without_repetition() {
        assert_eq!((0..9).map(|at| mirrored(at, 4)).collect::<Vec<_>>(), [0, 1, 2, 3, 2, 1, 0, 1, 2]);
        assert!((0..9).all(|at| mirrored(at, 1) == 0));
    }

    #[test]
    fn clipping_keeps_the_sum() {
        for limit in [1, 7, 100] {
            let mut counts: [u32; 256] = std::array::from_fn(|x| (x as u32 * 37) % 91);
            let sum: u32 = counts.iter().sum();
            clip(&mut counts, limit);
            assert_eq!(counts.iter().sum::<u32>(), sum, "{limit}");
        }
    }
}
