use feedline_proto::v1;
use serde::{Deserialize, Serialize};

use super::crop::{self, Beyond};
use super::range;
use crate::augment::op::{About, Built, Op, Refusal, Scratch, Targets};
use crate::image::{Form, Image, Size};
use crate::sample::{Geometry, Sample};
use crate::seed::Rng;

/// Puts the image somewhere on a larger canvas.
struct RandomZoomOut {
    sides: [f64; 2],
    beyond: Beyond,
    mask: Beyond,
}

/// The canvas and where the image is on it.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Canvas {
    /// Its sides over the image's.
    ratio: f64,
    /// Pixels left of the image.
    left: u32,
    /// Pixels above it.
    top: u32,
}

pub(in crate::augment) const ABOUT: About = About {
    version: 1,
    equals: "Puts the image somewhere on a larger canvas, as SSD is trained: torchvision's `RandomZoomOut`. Exact for a given canvas. Images
differ in size after it.",
    targets: Targets::All,
    example: "random_zoom_out = { side_range = [1.5, 2.5], p = 1 }",
};

pub(in crate::augment) fn from_message(message: &v1::RandomZoomOut, input: Form) -> Result<Built, Refusal> {
    let sides = range("side_range", &message.side_range)?;
    let beyond = Beyond::new(v1::Border::Constant.into(), &message.fill, input)?;
    let mask = beyond.for_mask(message.fill_mask)?;
    let output = Form { smallest: canvas(input.smallest, sides[0]), largest: canvas(input.largest, sides[1]), ..input };
    Built::maybe(RandomZoomOut { sides, beyond, mask }, message.p, input, super::max_size::checked(output)?)
}

fn canvas(size: Size, ratio: f64) -> Size {
    let side = |side: u32| ((f64::from(side) * ratio) as u32).max(side);
    Size::new(side(size.width), side(size.height))
}

impl RandomZoomOut {
    /// Where the canvas begins, and its size. Recorded numbers beyond the range of this op or its canvas are cut off.
    fn place(&self, drawn: Canvas, from: Size) -> ((i64, i64), Size) {
        let [low, high] = self.sides;
        let size = canvas(from, if drawn.ratio >= low && drawn.ratio <= high { drawn.ratio } else { low });
        let (x, y) = (drawn.left.min(size.width - from.width), drawn.top.min(size.height - from.height));
        ((-i64::from(x), -i64::from(y)), size)
    }
}

impl Op for RandomZoomOut {
    type Params = Canvas;
    const NAME: &'static str = "random_zoom_out";

    fn draw(&self, rng: &mut Rng, sample: &Sample<'_>) -> Canvas {
        let from = sample.image.size();
        let ratio = rng.uniform(self.sides);
        let size = canvas(from, ratio);
        let mut before = |room: u32| (f64::from(room) * rng.unit()) as u32;
        let left = before(size.width - from.width);
        Canvas { ratio, left, top: before(size.height - from.height) }
    }

    fn apply<'a>(&self, drawn: &Canvas, image: Image<'a>, scratch: &mut Scratch) -> Image<'a> {
        let (corner, size) = self.place(*drawn, image.size());
        crop::cut_padded(image, corner, size, &self.beyond, scratch)
    }

    fn geometry(&self, drawn: &Canvas, size: Size) -> Option<Geometry> {
        let ((x, y), size) = self.place(*drawn, size);
        Some(Geometry::crop(x, y, size))
    }

    fn annotate(&self, drawn: &Canvas, sample: &mut Sample<'_>) {
        let (corner, size) = self.place(*drawn, sample.image.size());
        crop::annotate(corner, size, &self.mask, sample);
    }
}
