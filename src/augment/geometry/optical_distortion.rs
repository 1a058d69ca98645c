use feedline_proto::v1;

use super::warp::{Backward, Filter, Warping};
use super::{curved, range};
use crate::augment::op::{About, Built, Op, Refusal, Scratch, Targets};
use crate::image::{Form, Image, Size};
use crate::sample::{Field, Geometry, Sample};
use crate::seed::Rng;

/// Bends the image as a lens does.
struct OpticalDistortion {
    distort: [f64; 2],
    fisheye: bool,
    warping: Warping,
}

pub(in crate::augment) const ABOUT: About = About {
    version: 1,
    equals: "Bends the image as a lens does: `albumentations.OpticalDistortion` in both modes, OpenCV 4.11's `initUndistortRectifyMap` and
`remap`. Within 0 levels of 8 bits, and 1e-6 for floats; a share of 5e-3 may be farther off, where a place lies on the line between
two. Boxes are hulls of points along their edges, keypoints go where their pixels go; albumentations finds both by drawing and
warping masks, to whole pixels.",
    targets: Targets::All,
    example: "optical_distortion = { distort = [0.3, 0.3], p = 1 }",
};

pub(in crate::augment) fn from_message(message: &v1::OpticalDistortion, input: Form) -> Result<Built, Refusal> {
    let fisheye = match v1::Lens::try_from(message.lens) {
        Ok(v1::Lens::Camera | v1::Lens::Unspecified) => false,
        Ok(v1::Lens::Fisheye) => true,
        Err(_) => return Err(Refusal::new("lens", message.lens, "camera or fisheye")),
    };
    let filter = (message.filter, Filter::Bilinear);
    let warping = Warping::new(filter, message.border, &message.fill, message.fill_mask, input)?;
    let op = OpticalDistortion { distort: range("distort", &message.distort)?, fisheye, warping };
    Built::maybe(op, message.p, input, input)
}

impl OpticalDistortion {
    fn field(&self, k: f64, size: Size) -> Field {
        // OpenCV has its coefficients in 32 bits.
        let k = if self.fisheye { k } else { f64::from(k as f32) };
        let (width, height) = (f64::from(size.width), f64::from(size.height));
        let (middle_x, middle_y) = (width / 2.0, height / 2.0);
        let area = size.area() as usize;
        let (mut xs, mut ys) = (Vec::with_capacity(area), Vec::with_capacity(area));
        // The camera measures from the middle in sides, the fish's eye in pixels.
        let (unit_x, unit_y) = if self.fisheye { (1.0, 1.0) } else { (width, height) };
        let corner = middle_x * middle_x + middle_y * middle_y;
        // OpenCV's camera looks at the middle of the pixels and puts it at half the sides: half a pixel aside.
        let (from_x, from_y) = if self.fisheye { (middle_x, middle_y) } else { (middle_x - 0.5, middle_y - 0.5) };
        for row in 0..size.height {
            let y = (f64::from(row) - from_y) / unit_y;
            for column in 0..size.width {
                let x = (f64::from(column) - from_x) / unit_x;
                let square = x * x + y * y;
                let factor = if self.fisheye { 1.0 + k * square / corner } else { 1.0 + (k * square + k) * square };
                xs.push((unit_x * x * factor + middle_x) as f32);
                ys.push((unit_y * y * factor + middle_y) as f32);
            }
        }
        Field::new(size, xs, ys)
    }
}

impl Op for OpticalDistortion {
    /// The coefficient.
    type Params = f64;
    const NAME: &'static str = "optical_distortion";

    fn draw(&self, rng: &mut Rng, _: &Sample<'_>) -> f64 {
        rng.uniform(self.distort)
    }

    fn apply<'a>(&self, k: &f64, image: Image<'a>, scratch: &mut Scratch) -> Image<'a> {
        let size = image.size();
        let field = self.field(*k, size);
        self.warping.apply(image, &Backward::Field(&field), size, scratch)
    }

    fn geometry(&self, k: &f64, size: Size) -> Option<Geometry> {
        Some(curved::geometry(self.field(*k, size), size))
    }

    fn annotate(&self, k: &f64, sample: &mut Sample<'_>) {
        if curved::is_marked(sample) {
            curved::annotate(self.field(*k, sample.image.size()), &self.warping, sample);
        }
    }
}
