use feedline_proto::v1;
use serde::{Deserialize, Serialize};

use super::range;
use super::warp::{Backward, Filter, Warping};
use crate::augment::op::{About, Built, Op, Refusal, Scratch, Targets};
use crate::image::{Form, Image, Size};
use crate::sample::{Geometry, Hull, Lines, Map, Sample};
use crate::seed::Rng;

/// Stretches and squeezes the cells of a grid.
struct GridDistortion {
    steps: u32,
    distort: [f64; 2],
    normalized: bool,
    warping: Warping,
}

/// What is added to the length of each cell, one more than there are cells: the last is for what is left over.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Cells {
    x: Vec<f64>,
    y: Vec<f64>,
}

pub(in crate::augment) const ABOUT: About = About {
    version: 1,
    equals: "Stretches and squeezes the cells of a grid: `albumentations.GridDistortion`, OpenCV 4.11's `remap`. Within 0 levels of 8 bits, and
1e-6 for floats; a share of 2e-3 may be farther off. Where cells do not reach the edge (a side below the square of their number)
the rest goes on pixel by pixel, where albumentations repeats the first column or row. Boxes and
keypoints go where their pixels go; albumentations finds both by drawing and warping masks, to whole pixels.",
    targets: Targets::All,
    example: "grid_distortion = { distort = [-0.4, 0.4], p = 1 }",
};

pub(in crate::augment) fn from_message(message: &v1::GridDistortion, input: Form) -> Result<Built, Refusal> {
    let least = input.smallest.width.min(input.smallest.height);
    let steps = message.num_steps.unwrap_or(5);
    if steps == 0 || steps > least {
        return Err(Refusal::new("num_steps", steps, format!("1 to {least}, the shortest side")));
    }
    let filter = (message.filter, Filter::Bilinear);
    let op = GridDistortion {
        steps,
        distort: range("distort", &message.distort)?,
        normalized: message.normalized.unwrap_or(true),
        warping: Warping::new(filter, message.border, &message.fill, message.fill_mask, input)?,
    };
    Built::maybe(op, message.p, input, input)
}

impl GridDistortion {
    /// The source of every column or row of a side.
    fn lines(&self, drawn: &[f64], side: u32) -> Vec<f32> {
        let (count, side) = (self.steps as usize, side as usize);
        let cell = (side / count).max(1);
        let mut steps: Vec<f64> = (0..=count).map(|at| 1.0 + drawn.get(at).copied().unwrap_or(0.0)).collect();
        if self.normalized {
            let left = side.min((count + 1) * cell).saturating_sub(count * cell);
            steps[count] *= left as f64 / cell as f64;
            let sum: f64 = steps.iter().sum();
            let factor = side as f64 / cell as f64 / sum;
            steps.iter_mut().for_each(|step| *step *= factor);
        }
        let mut lines = Vec::with_capacity(side);
        let mut before = 0.0;
        for (at, step) in steps.iter().enumerate() {
            let length = side.saturating_sub(at * cell).min(cell);
            let after = before + cell as f64 * step;
            let part = (after - before) / length.saturating_sub(1).max(1) as f64;
            lines.extend((0..length).map(|line| {
                let last = line > 0 && line + 1 == length;
                (if last { after } else { before + line as f64 * part }) as f32
            }));
            before = after;
        }
        while lines.len() < side {
            lines.push(lines.last().map_or(0.0, |line| line + 1.0));
        }
        lines
    }
}

impl Op for GridDistortion {
    type Params = Cells;
    const NAME: &'static str = "grid_distortion";

    fn draw(&self, rng: &mut Rng, _: &Sample<'_>) -> Cells {
        let x = (0..=self.steps).map(|_| rng.uniform(self.distort)).collect();
        Cells { x, y: (0..=self.steps).map(|_| rng.uniform(self.distort)).collect() }
    }

    fn apply<'a>(&self, cells: &Cells, image: Image<'a>, scratch: &mut Scratch) -> Image<'a> {
        let size = image.size();
        let (columns, rows) = (self.lines(&cells.x, size.width), self.lines(&cells.y, size.height));
        self.warping.apply(image, &Backward::Lines(&columns, &rows), size, scratch)
    }

    fn geometry(&self, cells: &Cells, size: Size) -> Option<Geometry> {
        let lines = Lines::new(self.lines(&cells.x, size.width), self.lines(&cells.y, size.height));
        Some(Geometry { map: Map::Lines(lines), size, hull: Hull::Corners })
    }

    fn annotate(&self, cells: &Cells, sample: &mut Sample<'_>) {
        let size = sample.image.size();
        let (columns, rows) = (self.lines(&cells.x, size.width), self.lines(&cells.y, size.height));
        self.warping.mask(sample, &Backward::Lines(&columns, &rows), size);
        let map = Map::Lines(Lines::new(columns, rows));
        Geometry { map, size, hull: Hull::Corners }.move_marks(sample);
    }
}
