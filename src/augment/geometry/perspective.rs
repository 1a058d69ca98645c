use feedline_proto::v1;
use serde::{Deserialize, Serialize};

use super::matrix::{inverse, product, through};
use super::motion::Method;
use super::range;
use super::warp::{Backward, Filter, Grid, Warping};
use crate::augment::op::{About, Built, Op, Refusal, Scratch, Targets};
use crate::image::{Form, Image, Size};
use crate::sample::{Geometry, Hull, Map, Sample};
use crate::seed::Rng;

/// Moves the corners.
struct Perspective {
    method: Method,
    scale: [f64; 2],
    distortion_scale: f64,
    warping: Warping,
}

/// Four points, in pixels: upper left, upper right, lower right, lower left. Albumentations stretches what is between them to
/// the corners of the image, torchvision moves the corners to them.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Corners {
    points: [[f64; 2]; 4],
}

pub(in crate::augment) const ABOUT: About = About {
    version: 1,
    equals: "Looks at the image from aside.

| method | equals | 8 bits | floats |
|---|---|---|---|
| albumentations | `albumentations.Perspective` with `keep_size`, OpenCV 4.11's `warpPerspective` | 0 | 1e-6 |
| torchvision | `RandomPerspective` | 1 | 1e-3 |

A share of 1e-3 of the values may be farther off, where a place lies on the line between two. Albumentations stretches by the ratio
of the sides once more than it need, as it does. Boxes are hulls of their corners; albumentations takes edges of boxes for the
middles of pixels, so that its boxes differ by a part of half a pixel. Sides of less than two pixels between the points are not
moved apart first.",
    targets: Targets::All,
    example: "perspective = { scale = [0.1, 0.1], p = 1 }",
};

pub(in crate::augment) fn from_message(message: &v1::Perspective, input: Form) -> Result<Built, Refusal> {
    let method = Method::new(message.method)?;
    let filter = (message.filter, Filter::Bilinear);
    let warping = Warping::new(filter, message.border, &message.fill, message.fill_mask, input)?;
    let warping = if method == Method::Torchvision { warping.for_torch()? } else { warping };
    let scale = range("scale", &message.scale)?;
    let op = Perspective { method, scale, distortion_scale: message.distortion_scale.unwrap_or(0.5), warping };
    Built::maybe(op, message.p, input, input)
}

impl Perspective {
    /// Where pixels go, in the coordinates of the method: middles of pixels, or the plane for torchvision. None if the points
    /// are no corners of anything.
    fn forward(&self, corners: &Corners, size: Size) -> Option<[f64; 9]> {
        let (w, h) = (f64::from(size.width), f64::from(size.height));
        match self.method {
            Method::Albumentations => {
                let points = corners.points;
                let matrix = through(&points, &[[0.0, 0.0], [w, 0.0], [w, h], [0.0, h]])?;
                let length = |a: [f64; 2], b: [f64; 2]| {
                    let (x, y) = (a[0] - b[0], a[1] - b[1]);
                    (x * x + y * y).sqrt().max(2.0)
                };
                let [ul, ur, lr, ll] = points;
                let (wide, high) =
                    (length(ur, ul).max(length(lr, ll)).trunc(), length(lr, ur).max(length(ll, ul)).trunc());
                Some(product(&[w / wide, 0.0, 0.0, 0.0, h / high, 0.0, 0.0, 0.0, 1.0], &matrix))
            }
            Method::Torchvision => inverse(&self.coefficients(corners, size)?),
        }
    }

    /// Torchvision's coefficients, from what goes out to what came in.
    fn coefficients(&self, corners: &Corners, size: Size) -> Option<[f64; 9]> {
        let (x, y) = (f64::from(size.width) - 1.0, f64::from(size.height) - 1.0);
        through(&corners.points, &[[0.0, 0.0], [x, 0.0], [x, y], [0.0, y]])
    }

    /// The map back, divided by its last number as OpenCV's inverse is not: places are quotients, so that it does not matter.
    fn backward(&self, corners: &Corners, size: Size) -> Option<[f64; 9]> {
        inverse(&self.forward(corners, size)?)
    }

    fn grid(&self, corners: &Corners, size: Size) -> Option<Grid<'static>> {
        let [a, b, c, d, e, f, g, h, _] = self.coefficients(corners, size)?;
        Some(Grid::Perspective([a, b, c, d, e, f, g, h]))
    }
}

impl Op for Perspective {
    type Params = Corners;
    const NAME: &'static str = "perspective";

    fn draw(&self, rng: &mut Rng, sample: &Sample<'_>) -> Corners {
        let Size { width, height } = sample.image.size();
        // Of the upper left corner, the upper right, the lower right, the lower left.
        let ends = [[false, false], [true, false], [true, true], [false, true]];
        let sides = [f64::from(width), f64::from(height)];
        if self.method == Method::Albumentations {
            let scale = rng.uniform(self.scale);
            let points = ends.map(|end| {
                let inwards = [(); 2].map(|()| (rng.normal() * scale).abs() % MOST_INWARDS);
                [0, 1].map(|axis| {
                    let part = if end[axis] { 1.0 - inwards[axis] } else { inwards[axis] };
                    // OpenCV has its points in 32 bits.
                    f64::from((part * sides[axis]) as f32)
                })
            });
            return Corners { points };
        }
        let points = ends.map(|end| {
            [(0, width), (1, height)].map(|(axis, side)| {
                let bound = (self.distortion_scale * f64::from(side / 2)) as u64 + 1;
                let inwards = rng.below(bound.min(side.into())) as f64;
                if end[axis] { f64::from(side) - 1.0 - inwards } else { inwards }
            })
        });
        Corners { points }
    }

    fn apply<'a>(&self, corners: &Corners, image: Image<'a>, scratch: &mut Scratch) -> Image<'a> {
        let size = image.size();
        match self.method {
            Method::Albumentations => match self.backward(corners, size) {
                Some(backward) => self.warping.apply(image, &Backward::Projective(backward), size, scratch),
                None => image,
            },
            Method::Torchvision => match self.grid(corners, size) {
                Some(grid) => self.warping.apply_torch(image, &grid, scratch),
                None => image,
            },
        }
    }

    fn geometry(&self, corners: &Corners, size: Size) -> Option<Geometry> {
        let matrix = self.forward(corners, size)?;
        let matrix = match self.method {
            Method::Torchvision => matrix,
            // From the middles of pixels to the plane.
            Method::Albumentations => {
                let moved = |by: f64| [1.0, 0.0, by, 0.0, 1.0, by, 0.0, 0.0, 1.0];
                product(&product(&moved(0.5), &matrix), &moved(-0.5))
            }
        };
        Some(Geometry { map: Map::Projective(matrix), size, hull: Hull::Corners })
    }

    fn annotate(&self, corners: &Corners, sample: &mut Sample<'_>) {
        let size = sample.image.size();
        let Some(geometry) = self.geometry(corners, size) else { return };
        geometry.move_marks(sample);
        match self.method {
            Method::Albumentations => {
                if let Some(backward) = self.backward(corners, size) {
                    self.warping.mask(sample, &Backward::Projective(backward), size);
                }
            }
            Method::Torchvision => {
                if let Some(grid) = self.grid(corners, size) {
                    self.warping.mask_torch(sample, &grid);
                }
            }
        }
    }
}

/// Fraction of a side that a corner moves inwards at most: what is more begins again from 0, as in albumentations.
const MOST_INWARDS: f64 = 0.32;
