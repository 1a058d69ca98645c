use feedline_proto::v1;

use super::crop::{self, Beyond};
use crate::augment::op::{About, Built, Op, Refusal, Scratch, Targets};
use crate::image::{Form, Image, Size};
use crate::sample::{Geometry, Sample};
use crate::seed::Rng;

/// Adds pixels around the image.
struct Pad {
    left: u32,
    top: u32,
    right: u32,
    bottom: u32,
    beyond: Beyond,
    mask: Beyond,
}

pub(in crate::augment) const ABOUT: About = About {
    version: 1,
    equals: "Adds pixels around the image: torchvision's `Pad`, `albumentations.Pad`. Exact. torchvision refuses to mirror more than there
is, where we mirror again, as OpenCV does. Boxes and keypoints move with the image; albumentations makes mirrored copies of them
beyond mirrored edges, we do not.",
    targets: Targets::All,
    example: "pad = { padding = [16, 8], border = \"reflect\" }",
};

pub(in crate::augment) fn from_message(message: &v1::Pad, input: Form) -> Result<Built, Refusal> {
    let [left, top, right, bottom] = match message.padding[..] {
        [all] => [all; 4],
        [x, y] => [x, y, x, y],
        [left, top, right, bottom] => [left, top, right, bottom],
        _ => {
            let found = format!("{:?}", message.padding);
            return Err(Refusal::new(
                "padding",
                found,
                "one number, two (x and y), or four (left, top, right, bottom)",
            ));
        }
    };
    let beyond = Beyond::new(message.border, &message.fill, input)?;
    let mask = beyond.for_mask(message.fill_mask)?;
    let pad = Pad { left, top, right, bottom, beyond, mask };
    let output = Form { smallest: pad.size(input.smallest), largest: pad.size(input.largest), ..input };
    Built::maybe(pad, message.p, input, output)
}

impl Pad {
    fn size(&self, from: Size) -> Size {
        let longer = |side: u32, before: u32, after: u32| side.saturating_add(before).saturating_add(after);
        Size::new(longer(from.width, self.left, self.right), longer(from.height, self.top, self.bottom))
    }

    fn corner(&self) -> (i64, i64) {
        (-i64::from(self.left), -i64::from(self.top))
    }
}

impl Op for Pad {
    type Params = ();
    const NAME: &'static str = "pad";

    fn draw(&self, _: &mut Rng, _: &Sample<'_>) {}

    fn apply<'a>(&self, (): &(), image: Image<'a>, scratch: &mut Scratch) -> Image<'a> {
        let size = self.size(image.size());
        crop::cut_padded(image, self.corner(), size, &self.beyond, scratch)
    }

    fn geometry(&self, (): &(), size: Size) -> Option<Geometry> {
        let (x, y) = self.corner();
        Some(Geometry::crop(x, y, self.size(size)))
    }

    fn annotate(&self, (): &(), sample: &mut Sample<'_>) {
        crop::annotate(self.corner(), self.size(sample.image.size()), &self.mask, sample);
    }
}
