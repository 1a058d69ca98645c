use feedline_proto::v1;
use serde::{Deserialize, Serialize};

use super::crop::{self, Beyond};
use crate::augment::op::{About, Built, Cut, Op, Refusal, Scratch, Targets};
use crate::image::{Form, Image, Size, Window};
use crate::sample::{Geometry, Sample};
use crate::seed::Rng;

/// Cuts a window out at a place drawn uniformly.
struct RandomCrop {
    size: Size,
    padding: u32,
    pad_if_needed: bool,
    beyond: Beyond,
}

/// Left upper corner of the window, negative where padding comes before the image.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Corner {
    x: i64,
    y: i64,
}

pub(in crate::augment) const ABOUT: About = About {
    version: 1,
    equals: "Cuts a window out at a place drawn uniformly: torchvision's `RandomCrop`, `albumentations.RandomCrop`, `tf.image.random_crop`.
Exact; padding as torchvision's `pad`, which refuses to mirror more than there is where we mirror again.",
    targets: Targets::All,
    example: "random_crop = { height = 160, width = 160 }",
};

pub(in crate::augment) fn from_message(message: &v1::RandomCrop, input: Form) -> Result<Built, Refusal> {
    let v1::RandomCrop { height, width, padding, pad_if_needed, border, fill } = message;
    let beyond = Beyond::new(*border, fill, input)?;
    let padded = |side: u32| side.saturating_add(padding.saturating_mul(2));
    let smallest = Size::new(padded(input.smallest.width), padded(input.smallest.height));
    let smallest = if *pad_if_needed { Size::new(u32::MAX, u32::MAX) } else { smallest };
    let size = crop::sides(*height, *width, Form { smallest, ..input })?;
    let op = RandomCrop { size, padding: *padding, pad_if_needed: *pad_if_needed, beyond };
    Built::always(op, input.sized(size))
}

impl RandomCrop {
    /// Where the window begins along a side.
    fn start(&self, rng: &mut Rng, side: u32, window: u32) -> i64 {
        let (side, window) = (i64::from(side), i64::from(window));
        let mut padding = i64::from(self.padding);
        let missing = window - (side + 2 * padding);
        if self.pad_if_needed && missing > 0 {
            padding += missing;
        }
        // Not negative: what is missing was refused or padded.
        let places = (side + 2 * padding - window).max(0) as u64 + 1;
        rng.below(places) as i64 - padding
    }
}

impl RandomCrop {
    fn corner(&self, rng: &mut Rng, size: Size) -> Corner {
        let y = self.start(rng, size.height, self.size.height);
        Corner { x: self.start(rng, size.width, self.size.width), y }
    }
}

impl Op for RandomCrop {
    type Params = Corner;
    const NAME: &'static str = "random_crop";

    fn draw(&self, rng: &mut Rng, sample: &Sample<'_>) -> Corner {
        self.corner(rng, sample.image.size())
    }

    fn cut(&self, rng: &mut Rng, size: Size) -> Option<Cut> {
        let Corner { x, y } = self.corner(rng, size);
        let window = Window { x: u32::try_from(x).ok()?, y: u32::try_from(y).ok()?, size: self.size };
        (crop::inside(window, size) == window).then_some(Cut::only(window))
    }

    fn apply<'a>(&self, corner: &Corner, image: Image<'a>, scratch: &mut Scratch) -> Image<'a> {
        crop::cut_padded(image, (corner.x, corner.y), self.size, &self.beyond, scratch)
    }

    fn geometry(&self, corner: &Corner, _: Size) -> Option<Geometry> {
        Some(Geometry::crop(corner.x, corner.y, self.size))
    }
}
