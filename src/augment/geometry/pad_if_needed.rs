use feedline_proto::v1;
use serde::{Deserialize, Serialize};

use super::crop::{self, Beyond};
use crate::augment::op::{About, Built, Op, Refusal, Scratch, Targets};
use crate::image::{Form, Image, Size};
use crate::sample::{Geometry, Sample};
use crate::seed::Rng;

/// Adds pixels until the image is large enough.
struct PadIfNeeded {
    width: Least,
    height: Least,
    position: v1::Position,
    beyond: Beyond,
    mask: Beyond,
}

/// How long a side must be.
enum Least {
    Anything,
    Length(u32),
    MultipleOf(u32),
}

/// Pixels added on the left and on top; the rest of what is missing comes on the other side.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Before {
    left: u32,
    top: u32,
}

pub(in crate::augment) const ABOUT: About = About {
    version: 1,
    equals: "Adds pixels until the image is large enough, or its sides are multiples of a number: `albumentations.PadIfNeeded`. Exact. Boxes
and keypoints move with the image; albumentations makes mirrored copies of them beyond mirrored edges, we do not.",
    targets: Targets::All,
    example: "pad_if_needed = { min_height = 240, min_width = 256, position = \"random\" }",
};

pub(in crate::augment) fn from_message(message: &v1::PadIfNeeded, input: Form) -> Result<Built, Refusal> {
    let side = |name: &str, least: u32, divisor: u32| match (least, divisor) {
        (0, 0) => Ok(Least::Anything),
        (least, 0) => Ok(Least::Length(least)),
        (0, divisor) => Ok(Least::MultipleOf(divisor)),
        (least, divisor) => {
            let expected = format!("nothing beside min_{name} {least}");
            Err(Refusal::new(format!("{name}_divisor"), divisor, expected))
        }
    };
    let width = side("width", message.min_width, message.width_divisor)?;
    let height = side("height", message.min_height, message.height_divisor)?;
    if matches!((&width, &height), (Least::Anything, Least::Anything)) {
        return Err(Refusal::new("min_height", "missing", "a least height or width, or a divisor"));
    }
    let position = v1::Position::try_from(message.position)
        .map_err(|_| Refusal::new("position", message.position, "center, a corner or random"))?;
    let beyond = Beyond::new(message.border, &message.fill, input)?;
    let mask = beyond.for_mask(message.fill_mask)?;
    let op = PadIfNeeded { width, height, position, beyond, mask };
    let output = Form { smallest: op.size(input.smallest), largest: op.size(input.largest), ..input };
    Built::maybe(op, message.p, input, output)
}

impl Least {
    fn length(&self, side: u32) -> u32 {
        match self {
            Least::Anything => side,
            Least::Length(least) => side.max(*least),
            Least::MultipleOf(divisor) => side.checked_next_multiple_of(*divisor).unwrap_or(side),
        }
    }
}

impl PadIfNeeded {
    fn size(&self, from: Size) -> Size {
        Size::new(self.width.length(from.width), self.height.length(from.height))
    }

    /// Where the result begins; recorded numbers that are too large for this image are cut off.
    fn corner(&self, before: Before, from: Size) -> (i64, i64) {
        let size = self.size(from);
        let (x, y) = (before.left.min(size.width - from.width), before.top.min(size.height - from.height));
        (-i64::from(x), -i64::from(y))
    }
}

impl Op for PadIfNeeded {
    type Params = Before;
    const NAME: &'static str = "pad_if_needed";

    fn draw(&self, rng: &mut Rng, sample: &Sample<'_>) -> Before {
        use v1::Position;
        let from = sample.image.size();
        let size = self.size(from);
        let (x, y) = (size.width - from.width, size.height - from.height);
        match self.position {
            Position::Center | Position::Unspecified => Before { left: x / 2, top: y / 2 },
            Position::TopLeft => Before { left: 0, top: 0 },
            Position::TopRight => Before { left: x, top: 0 },
            Position::BottomLeft => Before { left: 0, top: y },
            Position::BottomRight => Before { left: x, top: y },
            Position::Random => {
                let top = rng.below(u64::from(y) + 1) as u32;
                Before { left: rng.below(u64::from(x) + 1) as u32, top }
            }
        }
    }

    fn apply<'a>(&self, before: &Before, image: Image<'a>, scratch: &mut Scratch) -> Image<'a> {
        let from = image.size();
        crop::cut_padded(image, self.corner(*before, from), self.size(from), &self.beyond, scratch)
    }

    fn geometry(&self, before: &Before, size: Size) -> Option<Geometry> {
        let (x, y) = self.corner(*before, size);
        Some(Geometry::crop(x, y, self.size(size)))
    }

    fn annotate(&self, before: &Before, sample: &mut Sample<'_>) {
        let from = sample.image.size();
        crop::annotate(self.corner(*before, from), self.size(from), &self.mask, sample);
    }
}
