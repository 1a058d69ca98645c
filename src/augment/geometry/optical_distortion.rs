use feedline_proto::v1;

use super::warp::{Backward, Bend, Filter, Warping};
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
    fn bend(&self, k: f64, size: Size) -> Bend {
        let (width, height) = (f64::from(size.width), f64::from(size.height));
        let (middle_x, middle_y) = (width / 2.0, height / 2.0);
        if self.fisheye {
            let corner = middle_x * middle_x + middle_y * middle_y;
            let middle = [middle_x, middle_y];
            return Bend { powers: [k / corner, 0.0], units: [1.0, 1.0], from: middle, to: middle };
        }
        // OpenCV has its coefficients in 32 bits. It looks at the middle of the pixels and puts it at half the sides: half a pixel
        // aside.
        let k = f64::from(k as f32);
        let from = [middle_x - 0.5, middle_y - 0.5];
        Bend { powers: [k, k], units: [width, height], from, to: [middle_x, middle_y] }
    }

    fn field(&self, k: f64, size: Size) -> Field {
        let bend = self.bend(k, size);
        let places = || (0..size.height).flat_map(|row| (0..size.width).map(move |column| (column, row)));
        let x = places().map(|(column, row)| bend.source(column, row).0).collect();
        Field::new(size, x, places().map(|(column, row)| bend.source(column, row).1).collect())
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
        self.warping.apply(image, &Backward::Bend(self.bend(*k, size)), size, scratch)
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
