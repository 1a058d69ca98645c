use feedline_proto::v1;

use super::crop;
use crate::augment::op::{About, Built, Cut, Op, Refusal, Scratch, Targets};
use crate::image::{Form, Image, Size, Window};
use crate::sample::{Geometry, Sample};
use crate::seed::Rng;

/// Cuts the middle out.
struct CenterCrop {
    size: Size,
    half_even: bool,
}

pub(in crate::augment) const ABOUT: About = About {
    version: 1,
    equals: "Cuts the middle out: torchvision's `center_crop` (`half_even`), `albumentations.CenterCrop` (`floor`). Exact.",
    targets: Targets::All,
    example: "center_crop = { height = 160, width = 160 }",
};

pub(in crate::augment) fn from_message(message: &v1::CenterCrop, input: Form) -> Result<Built, Refusal> {
    let size = crop::sides(message.height, message.width, input)?;
    let half_even = match v1::Centre::try_from(message.centre) {
        Ok(v1::Centre::HalfEven | v1::Centre::Unspecified) => true,
        Ok(v1::Centre::Floor) => false,
        Err(_) => return Err(Refusal::new("centre", message.centre, "half_even or floor")),
    };
    Built::always(CenterCrop { size, half_even }, input.sized(size))
}

impl CenterCrop {
    fn window(&self, size: Size) -> Window {
        let start = |margin: u32| match (self.half_even, margin % 4) {
            // One and a half, three and a half, ...: to the even number above.
            (true, 3) => margin / 2 + 1,
            _ => margin / 2,
        };
        let x = start(size.width.saturating_sub(self.size.width));
        let y = start(size.height.saturating_sub(self.size.height));
        crop::inside(Window { x, y, size: self.size }, size)
    }
}

impl Op for CenterCrop {
    type Params = ();
    const NAME: &'static str = "center_crop";

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
