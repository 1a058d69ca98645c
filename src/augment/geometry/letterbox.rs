use feedline_proto::v1;

use super::crop::{self, Beyond};
use super::max_size::scaled;
use super::resample::Resampling;
use crate::augment::op::{About, Built, Op, Refusal, Scratch, Targets};
use crate::image::{Form, Image, Size, Window};
use crate::sample::{Geometry, Sample};
use crate::seed::Rng;

/// Resizes until the image just fits and pads it to the size.
struct Letterbox {
    size: Size,
    scale_up: bool,
    resampling: Resampling,
    beyond: Beyond,
    mask: Beyond,
}

pub(in crate::augment) const ABOUT: About = About {
    version: 1,
    equals: "Resizes, keeping the ratio of the sides, until the image just fits, and pads it to the size, with an odd pixel on the right and
at the bottom: `albumentations.LongestMaxSize(max_size_hw=…)` and `PadIfNeeded`, `tf.image.resize_with_pad` but for how sides are
rounded, the letterbox of the YOLO detectors. Pixels are those of `resize`, whose tolerances hold. Keypoints move with the
middles of pixels; albumentations multiplies their coordinates.
Masks take the pixel whose middle is nearest, where OpenCV takes the one at its upper left.",
    targets: Targets::All,
    example: "letterbox = { height = 160, width = 224 }",
};

pub(in crate::augment) fn from_message(message: &v1::Letterbox, input: Form) -> Result<Built, Refusal> {
    let size = Size::new(message.width, message.height);
    if size.area() == 0 {
        return Err(Refusal::new("height", size, "a height and a width of 1 or more"));
    }
    // The gray of the default is at the scale of 8 bits: floats of another one get it at theirs.
    let full = if let crate::image::Depth::F32 { full: Some(full) } = input.depth { full } else { 255.0 };
    let fill: Vec<f64> = match message.fill[..] {
        [114.0, 114.0, 114.0] if full == 1.0 => vec![114.0 / 255.0; 3],
        _ => message.fill.clone(),
    };
    let beyond = Beyond::new(v1::Border::Constant.into(), &fill, input)?;
    let mask = beyond.for_mask(message.fill_mask)?;
    let resampling = Resampling::new(message.filter, message.antialias, false)?;
    let op = Letterbox { size, scale_up: message.scale_up.unwrap_or(true), resampling, beyond, mask };
    Built::always(op, input.sized(size))
}

impl Letterbox {
    /// The size of the image within, and where the result begins in its coordinates.
    fn inner(&self, from: Size) -> (Size, (i64, i64)) {
        let x = f64::from(self.size.width) / f64::from(from.width);
        let y = f64::from(self.size.height) / f64::from(from.height);
        let scale = if self.scale_up { x.min(y) } else { x.min(y).min(1.0) };
        let Size { width, height } = scaled(from, scale);
        let inner = Size::new(width.min(self.size.width), height.min(self.size.height));
        let before = |outer: u32, inner: u32| -i64::from((outer - inner) / 2);
        (inner, (before(self.size.width, inner.width), before(self.size.height, inner.height)))
    }
}

impl Op for Letterbox {
    type Params = ();
    const NAME: &'static str = "letterbox";

    fn draw(&self, _: &mut Rng, _: &Sample<'_>) {}

    fn apply<'a>(&self, (): &(), image: Image<'a>, scratch: &mut Scratch) -> Image<'a> {
        let from = image.size();
        let (inner, corner) = self.inner(from);
        let image = self.resampling.apply(image, Window { x: 0, y: 0, size: from }, inner, scratch);
        crop::cut_padded(image, corner, self.size, &self.beyond, scratch)
    }

    fn geometry(&self, (): &(), size: Size) -> Option<Geometry> {
        let (inner, (x, y)) = self.inner(size);
        let (sx, sy) =
            (f64::from(inner.width) / f64::from(size.width), f64::from(inner.height) / f64::from(size.height));
        Some(Geometry::affine([sx, 0.0, -(x as f64), 0.0, sy, -(y as f64)], self.size))
    }

    fn annotate(&self, (): &(), sample: &mut Sample<'_>) {
        let from = sample.image.size();
        let (inner, corner) = self.inner(from);
        Geometry::stretch((0, 0), from, inner).move_annotations(sample);
        crop::annotate(corner, self.size, &self.mask, sample);
    }
}
