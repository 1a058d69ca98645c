use feedline_proto::v1;

use super::warp::{Backward, Filter, Warping};
use super::{curved, range};
use crate::augment::op::{About, Built, Op, Refusal, Scratch, Targets};
use crate::augment::simd::Kernel;
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
        // The camera measures from the middle in sides, the fish's eye in pixels.
        let units = if self.fisheye { [1.0, 1.0] } else { [width, height] };
        let corner = middle_x * middle_x + middle_y * middle_y;
        // OpenCV's camera looks at the middle of the pixels and puts it at half the sides: half a pixel aside.
        let from = if self.fisheye { [middle_x, middle_y] } else { [middle_x - 0.5, middle_y - 0.5] };
        // Of the second power of the distance from the middle, and of the fourth.
        let powers = if self.fisheye { [k / corner, 0.0] } else { [k, k] };
        let area = size.area() as usize;
        let (mut xs, mut ys) = (vec![0.0; area], vec![0.0; area]);
        let bent = Bend { powers, units, from, to: [middle_x, middle_y], width: size.width as usize };
        Bent { bend: bent, xs: &mut xs, ys: &mut ys }.dispatch();
        Field::new(size, xs, ys)
    }
}

/// Where points are that a lens has moved.
struct Bend {
    powers: [f64; 2],
    /// What the distance from the middle is counted in, along each axis.
    units: [f64; 2],
    /// The middle of what goes out.
    from: [f64; 2],
    /// The middle of what came in.
    to: [f64; 2],
    width: usize,
}

/// The sources of all pixels.
struct Bent<'b> {
    bend: Bend,
    xs: &'b mut [f32],
    ys: &'b mut [f32],
}

impl Kernel for Bent<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Bend { powers: [second, fourth], units, from, to, width } = self.bend;
        let rows = self.xs.chunks_exact_mut(width).zip(self.ys.chunks_exact_mut(width));
        for (row, (xs, ys)) in rows.enumerate() {
            let y = (row as f64 - from[1]) / units[1];
            for (column, (to_x, to_y)) in (0_u32..).zip(xs.iter_mut().zip(ys)) {
                let x = (f64::from(column) - from[0]) / units[0];
                let square = x * x + y * y;
                let factor = 1.0 + (fourth * square + second) * square;
                *to_x = (units[0] * x * factor + to[0]) as f32;
                *to_y = (units[1] * y * factor + to[1]) as f32;
            }
        }
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
