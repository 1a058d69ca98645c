use feedline_proto::v1;
use serde::{Deserialize, Serialize};

use super::matrix::{inverse_affine, product};
use super::warp::{Backward, Filter, Grid, Warping};
use crate::augment::op::{Refusal, Scratch};
use crate::image::{Form, Image, Size};
use crate::sample::{Geometry, Hull, Sample};

/// How an image is scaled, sheared, turned and moved: what is drawn.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Motion {
    /// To the right and down, in pixels.
    pub(super) translate: [f64; 2],
    /// Degrees along each axis.
    pub(super) shear: [f64; 2],
    /// Factors of the width and the height.
    pub(super) scale: [f64; 2],
    /// Degrees.
    pub(super) rotate: f64,
}

/// Applies motions.
pub(super) struct Mover {
    method: Method,
    warping: Warping,
    hull: Hull,
}

/// Whose conventions: the order of the steps, the sense of angles, the arithmetic.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Method {
    Albumentations,
    Torchvision,
}

/// The fields that all warps of this kind have.
pub(super) struct Fields<'m> {
    pub(super) method: i32,
    pub(super) filter: i32,
    pub(super) border: i32,
    pub(super) fill: &'m [f64],
    pub(super) fill_mask: u32,
    pub(super) rotate_method: i32,
}

impl Method {
    /// As the field `method` says it.
    pub(super) fn new(method: i32) -> Result<Self, Refusal> {
        match v1::WarpMethod::try_from(method) {
            Ok(v1::WarpMethod::Albumentations | v1::WarpMethod::Unspecified) => Ok(Method::Albumentations),
            Ok(v1::WarpMethod::Torchvision) => Ok(Method::Torchvision),
            Err(_) => Err(Refusal::new("method", method, "albumentations or torchvision")),
        }
    }
}

impl Mover {
    pub(super) fn new(fields: &Fields<'_>, input: Form) -> Result<Self, Refusal> {
        let method = Method::new(fields.method)?;
        let default = if method == Method::Torchvision { Filter::Nearest } else { Filter::Bilinear };
        let warping = Warping::new((fields.filter, default), fields.border, fields.fill, fields.fill_mask, input)?;
        let warping = if method == Method::Torchvision { warping.for_torch()? } else { warping };
        let hull = match v1::BoxHull::try_from(fields.rotate_method) {
            Ok(v1::BoxHull::Corners | v1::BoxHull::Unspecified) => Hull::Corners,
            Ok(v1::BoxHull::Ellipse) => Hull::Ellipse,
            Err(_) => return Err(Refusal::new("rotate_method", fields.rotate_method, "corners or ellipse")),
        };
        Ok(Mover { method, warping, hull })
    }

    pub(super) fn method(&self) -> Method {
        self.method
    }

    /// Recorded motions come from users: one that has no inverse leaves the image as it is.
    pub(super) fn apply<'a>(&self, motion: &Motion, image: Image<'a>, scratch: &mut Scratch) -> Image<'a> {
        let size = image.size();
        let Some(inverse) = self.inverse(motion, size) else { return image };
        match self.method {
            Method::Albumentations => self.warping.apply(image, &Backward::Affine(inverse), size, scratch),
            Method::Torchvision => self.warping.apply_torch(image, &Grid::Affine(inverse), scratch),
        }
    }

    pub(super) fn geometry(&self, motion: &Motion, size: Size) -> Geometry {
        let matrix = match self.inverse(motion, size) {
            // About the middle in continuous coordinates, where it is at half the sides.
            Some(_) => self.forward(motion, [f64::from(size.width) / 2.0, f64::from(size.height) / 2.0]),
            None => [1.0, 0.0, 0.0, 0.0, 1.0, 0.0],
        };
        Geometry { hull: self.hull, ..Geometry::affine(matrix, size) }
    }

    pub(super) fn annotate(&self, motion: &Motion, sample: &mut Sample<'_>) {
        let size = sample.image.size();
        self.geometry(motion, size).move_marks(sample);
        let Some(inverse) = self.inverse(motion, size) else { return };
        match self.method {
            Method::Albumentations => self.warping.mask(sample, &Backward::Affine(inverse), size),
            Method::Torchvision => self.warping.mask_torch(sample, &Grid::Affine(inverse)),
        }
    }

    /// From pixels that go out to pixels that came in, each counted from the centre of the first one, or for torch from the
    /// middle of the image. None if there is no such map.
    fn inverse(&self, motion: &Motion, size: Size) -> Option<[f64; 6]> {
        let middle = match self.method {
            Method::Albumentations => [size.width, size.height].map(|side| f64::from(side) / 2.0 - 0.5),
            Method::Torchvision => [0.0; 2],
        };
        inverse_affine(&self.forward(motion, middle))
    }

    fn forward(&self, motion: &Motion, middle: [f64; 2]) -> [f64; 6] {
        match self.method {
            Method::Albumentations => motion.albumentations(middle),
            Method::Torchvision => motion.torchvision(middle),
        }
    }
}

impl Motion {
    /// Scaled, turned counter-clockwise, sheared against the given sense, and moved, about the middle.
    fn albumentations(&self, [cx, cy]: [f64; 2]) -> [f64; 6] {
        let turn = (self.rotate.rem_euclid(360.0)).to_radians();
        let (sin, cos) = (libm::sin(turn), libm::cos(turn));
        let [tan_x, tan_y] = self.shear.map(|degrees| libm::tan((-degrees).to_radians()));
        let moved = |x: f64, y: f64| [1.0, 0.0, x, 0.0, 1.0, y, 0.0, 0.0, 1.0];
        let steps = [
            moved(self.translate[0], self.translate[1]),
            [1.0, tan_x, 0.0, tan_y, 1.0, 0.0, 0.0, 0.0, 1.0],
            [cos, sin, 0.0, -sin, cos, 0.0, 0.0, 0.0, 1.0],
            [self.scale[0], 0.0, 0.0, 0.0, self.scale[1], 0.0, 0.0, 0.0, 1.0],
            moved(-cx, -cy),
        ];
        let [a, b, c, d, e, f, ..] = steps.iter().fold(moved(cx, cy), |all, step| product(&all, step));
        [a, b, c, d, e, f]
    }

    /// Sheared, scaled, turned clockwise and moved, about the middle.
    fn torchvision(&self, [cx, cy]: [f64; 2]) -> [f64; 6] {
        let [turn, sx, sy] = [self.rotate, self.shear[0], self.shear[1]].map(f64::to_radians);
        let a = libm::cos(turn - sy) / libm::cos(sy);
        let b = -(a * libm::tan(sx) + libm::sin(turn));
        let c = libm::sin(turn - sy) / libm::cos(sy);
        let d = libm::cos(turn) - c * libm::tan(sx);
        let [a, b, c, d] = [a, b, c, d].map(|x| x * self.scale[0]);
        let [tx, ty] = self.translate;
        [a, b, cx + tx - a * cx - b * cy, c, d, cy + ty - c * cx - d * cy]
    }
}
