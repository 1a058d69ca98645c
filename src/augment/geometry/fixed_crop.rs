use feedline_proto::v1;

use super::crop;
use crate::augment::op::{About, Built, Cut, Op, Refusal, Scratch, Targets};
use crate::image::{Form, Image, Size, Window};
use crate::sample::{Geometry, Sample};
use crate::seed::Rng;

/// Cuts out a window that is always the same.
struct FixedCrop {
    size: Size,
    /// Columns and rows between the window and the corner.
    margin: (u32, u32),
    right: bool,
    bottom: bool,
}

pub(in crate::augment) const ABOUT: About = About {
    version: 1,
    equals: "Cuts out a window that is always the same: `tf.image.crop_to_bounding_box`, `albumentations.Crop`, torchvision's `crop`; counted \
             from another corner, the corners of torchvision's `five_crop`. Exact.",
    targets: Targets::All,
    example: "fixed_crop = { height = 112, width = 112, corner = \"top_right\" }",
};

pub(in crate::augment) fn from_message(message: &v1::FixedCrop, input: Form) -> Result<Built, Refusal> {
    let v1::FixedCrop { height, width, x, y, .. } = *message;
    let Size { width: most_width, height: most_height } = input.smallest;
    for (name, margin, side, most) in [("x", x, "width", most_width), ("y", y, "height", most_height)] {
        if margin >= most {
            return Err(Refusal::new(name, margin, format!("less than {most}, the {side} of the smallest image")));
        }
    }
    let left = Form { smallest: Size::new(most_width - x, most_height - y), ..input };
    let size = crop::sides(height, width, left)?;
    let (right, bottom) = match v1::Corner::try_from(message.corner) {
        Ok(v1::Corner::TopLeft | v1::Corner::Unspecified) => (false, false),
        Ok(v1::Corner::TopRight) => (true, false),
        Ok(v1::Corner::BottomLeft) => (false, true),
        Ok(v1::Corner::BottomRight) => (true, true),
        Err(_) => {
            return Err(Refusal::new("corner", message.corner, "top_left, top_right, bottom_left or bottom_right"));
        }
    };
    Built::always(FixedCrop { size, margin: (x, y), right, bottom }, input.sized(size))
}

impl FixedCrop {
    fn window(&self, size: Size) -> Window {
        let start = |margin: u32, window: u32, side: u32, from_end: bool| {
            if from_end { side.saturating_sub(window.saturating_add(margin)) } else { margin }
        };
        let x = start(self.margin.0, self.size.width, size.width, self.right);
        let y = start(self.margin.1, self.size.height, size.height, self.bottom);
        crop::inside(Window { x, y, size: self.size }, size)
    }
}

impl Op for FixedCrop {
    type Params = ();
    const NAME: &'static str = "fixed_crop";

    fn draw(&self, _: &mut Rng, _: &Sample<'_>) {}

    fn cut(&self, _: &mut Rng, size: Size) -> Option<Cut> {
        Some(Cut::only(self.window(size)))
    }

    fn apply<'a>(&self, (): &(), image: Image<'a>, scratch: &mut Scratch) -> Image<'a> {
        let window = self.window(image.size());
        crop::cut(image, window, scratch)
    }

    fn geometry(&self, (): &(), size: Size) -> Option<Geometry> {
        let window = self.window(size);
        Some(Geometry::crop(window.x.into(), window.y.into(), window.size))
    }
}
