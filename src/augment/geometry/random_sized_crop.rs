use feedline_proto::v1;

use super::resample::Resampling;
use super::{crop, range};
use crate::augment::op::{About, Built, Cut, Op, Refusal, Scratch, Targets};
use crate::image::{Excerpt, Form, Image, Size, Window};
use crate::sample::{Geometry, Sample};
use crate::seed::Rng;

/// Cuts a window of random height and fixed ratio out and resizes it.
struct RandomSizedCrop {
    size: Size,
    heights: [u32; 2],
    ratio: f64,
    resampling: Resampling,
}

pub(in crate::augment) const ABOUT: About = About {
    version: 1,
    equals: "Cuts a window of random height and fixed ratio out and resizes it: `albumentations.RandomSizedCrop`, by its distribution. The
pixels are those of a crop and then `resize`, whose tolerances hold. Keypoints move with the middles of pixels; albumentations
multiplies their coordinates.",
    targets: Targets::All,
    example: "random_sized_crop = { height = 128, width = 128, min_max_height = [20, 30] }",
};

pub(in crate::augment) fn from_message(message: &v1::RandomSizedCrop, input: Form) -> Result<Built, Refusal> {
    let size = Size::new(message.width, message.height);
    if size.area() == 0 {
        return Err(Refusal::new("height", size, "a height and a width of 1 or more"));
    }
    let heights = range("min_max_height", &message.min_max_height)?;
    if heights.iter().any(|x| x.trunc() != *x || *x < 1.0) {
        return Err(Refusal::new("min_max_height", format!("{heights:?}"), "whole numbers of 1 or more"));
    }
    let resampling = Resampling::new(message.filter, message.antialias, false)?;
    let ratio = message.w2h_ratio.unwrap_or(1.0);
    let op = RandomSizedCrop { size, heights: heights.map(|x| x as u32), ratio, resampling };
    Built::maybe(op, message.p, input, input.sized(size))
}

impl RandomSizedCrop {
    fn window(&self, rng: &mut Rng, image: Size) -> Window {
        let [low, high] = self.heights;
        let height = low + rng.below(u64::from(high.saturating_sub(low)) + 1) as u32;
        let width = (f64::from(height) * self.ratio).max(1.0) as u32;
        let size = Size::new(width.min(image.width), height.min(image.height));
        let y = rng.below(u64::from(image.height - size.height) + 1) as u32;
        Window { x: rng.below(u64::from(image.width - size.width) + 1) as u32, y, size }
    }
}

impl Op for RandomSizedCrop {
    type Params = Window;
    const NAME: &'static str = "random_sized_crop";
    const RESIZES_LAST: bool = true;

    fn draw(&self, rng: &mut Rng, sample: &Sample<'_>) -> Window {
        self.window(rng, sample.image.size())
    }

    fn cut(&self, rng: &mut Rng, size: Size) -> Option<Cut> {
        Some(Cut::resized(crop::inside(self.window(rng, size), size), self.size))
    }

    fn apply_to_cut<'a>(&self, image: Image<'a>, cut: Excerpt, _: &mut Rng, scratch: &mut Scratch) -> Image<'a> {
        self.resampling.apply_to_excerpt(image, cut, self.size, scratch)
    }

    fn apply<'a>(&self, window: &Window, image: Image<'a>, scratch: &mut Scratch) -> Image<'a> {
        let window = crop::inside(*window, image.size());
        self.resampling.apply(image, window, self.size, scratch)
    }

    fn geometry(&self, window: &Window, size: Size) -> Option<Geometry> {
        let window = crop::inside(*window, size);
        Some(Geometry::stretch((window.x, window.y), window.size, self.size))
    }
}
