use feedline_proto::v1;

use super::full_scale;
use super::hole::{Fill, Hole, Holes};
use crate::augment::op::{About, Built, Op, Refusal, Scratch, Targets};
use crate::image::{Form, Image};
use crate::sample::Sample;
use crate::seed::Rng;

/// Cuts a hole into each cell of a grid.
struct GridDropout {
    ratio: f64,
    random_offset: bool,
    /// Cells across and down.
    cells: [u32; 2],
    shift: [u32; 2],
    fill: Fill,
    fill_mask: Option<u8>,
}

pub(in crate::augment) const ABOUT: About = About {
    version: 1,
    equals: "Cuts a hole into each cell of a grid: `albumentations.GridDropout` with the same holes. Exact, random fills aside; mask, boxes and
keypoints too, as `coarse_dropout`. Where sides are no multiples of the cells, which cells get a pixel more is drawn, as there. (With
its `holes_number_xy`, albumentations takes the first number for rows; here it counts what lies across.)",
    targets: Targets::All,
    example: "grid_dropout = { p = 1 }",
};

pub(in crate::augment) fn from_message(message: &v1::GridDropout, input: Form) -> Result<Built, Refusal> {
    let v1::GridDropout { ratio, random_offset, holes_number, shift, color, fill_mask, p, .. } = message;
    let two = |field: &str, values: &[u32]| {
        <[u32; 2]>::try_from(values).map_err(|_| Refusal::new(field, format!("{values:?}"), "two numbers [x, y]"))
    };
    let op = GridDropout {
        ratio: ratio.unwrap_or(0.5),
        random_offset: random_offset.unwrap_or(true),
        cells: two("holes_number", holes_number)?,
        shift: two("shift", shift)?,
        fill: Fill::new(message.fill(), color, full_scale(input)?)?,
        fill_mask: fill_mask.map(|class| class.min(255) as u8),
    };
    Built::maybe(op, *p, input, input)
}

impl GridDropout {
    /// Start and length of the cells of a side; those that get one pixel more are drawn.
    fn cells(rng: &mut Rng, side: u32, count: u32) -> Vec<(u32, u32)> {
        let count = count.clamp(1, side.max(1));
        let mut lengths: Vec<u32> = (0..count).map(|cell| side / count + u32::from(cell < side % count)).collect();
        rng.shuffle(&mut lengths);
        let mut start = 0;
        let next = |length: u32| {
            start += length;
            (start - length, length)
        };
        lengths.into_iter().map(next).collect()
    }

    /// Start and length of the hole in a cell.
    fn hole(&self, rng: &mut Rng, (start, length): (u32, u32), shift: u32, side: u32) -> (u32, u32) {
        let hole = ((f64::from(length) * self.ratio) as u32).clamp(1, (length - length.min(1)).max(1));
        let room = u64::from(length.saturating_sub(hole));
        let offset = if self.random_offset { rng.below(room + 1) as u32 } else { shift };
        (start.saturating_add(offset).min(side.saturating_sub(hole)), hole)
    }
}

impl Op for GridDropout {
    type Params = Holes;
    const NAME: &'static str = "grid_dropout";

    fn draw(&self, rng: &mut Rng, sample: &Sample<'_>) -> Holes {
        let size = sample.image.size();
        let rows = GridDropout::cells(rng, size.height, self.cells[1]);
        let columns = GridDropout::cells(rng, size.width, self.cells[0]);
        let mut holes = Vec::with_capacity(rows.len() * columns.len());
        for (row, column) in rows.iter().flat_map(|row| columns.iter().map(move |column| (row, column))) {
            let (y, height) = self.hole(rng, *row, self.shift[1], size.height);
            let (x, width) = self.hole(rng, *column, self.shift[0], size.width);
            holes.push(Hole { x, y, width, height });
        }
        Holes { holes, seed: rng.bits() >> 11 }
    }

    fn apply<'a>(&self, holes: &Holes, mut image: Image<'a>, _: &mut Scratch) -> Image<'a> {
        holes.fill(&mut image, &self.fill);
        image
    }

    fn annotate(&self, holes: &Holes, sample: &mut Sample<'_>) {
        holes.annotate(sample, self.fill_mask);
    }
}
