use feedline_proto::v1;

use super::crop;
use super::resample::Resampling;
use crate::augment::op::{About, Built, Cut, Op, Refusal, Scratch, Targets};
use crate::image::{Excerpt, Form, Image, Size, Window};
use crate::sample::{Geometry, Sample};
use crate::seed::Rng;

/// Cuts a window of random area and aspect ratio out and resizes it.
struct RandomResizedCrop {
    size: Size,
    scale: [f64; 2],
    ratio: [f64; 2],
    /// The same as logarithms.
    log_ratio: [f64; 2],
    resampling: Resampling,
}

pub(in crate::augment) const ABOUT: About = About {
    version: 1,
    equals: "Cuts a window of random area and aspect ratio out and resizes it: torchvision's and albumentations' `RandomResizedCrop`, by
their distribution. The pixels are those of a crop and then `resize`, whose tolerances hold: the filter sees
nothing outside of the window.",
    targets: Targets::All,
    example: "random_resized_crop = { height = 224, width = 224 }",
};

pub(in crate::augment) fn from_message(message: &v1::RandomResizedCrop, input: Form) -> Result<Built, Refusal> {
    let size = Size::new(message.width, message.height);
    for (name, side) in [("height", size.height), ("width", size.width)] {
        if side == 0 {
            return Err(Refusal::new(name, side, "pixels of the result"));
        }
    }
    let scale = super::range("scale", &message.scale)?;
    let ratio = super::range("ratio", &message.ratio)?;
    for (name, range) in [("scale", scale), ("ratio", ratio)] {
        if !(range[0] > 0.0 && range[0] <= range[1]) {
            return Err(Refusal::new(name, format!("{range:?}"), "two numbers above 0, low not above high"));
        }
    }
    let resampling = Resampling::new(message.filter, message.antialias, false)?;
    let op = RandomResizedCrop { size, scale, ratio, log_ratio: ratio.map(libm::log), resampling };
    Built::always(op, input.sized(size))
}

impl RandomResizedCrop {
    /// The middle, its ratio clamped: for images so narrow that no try fitted.
    fn fallback(&self, size: Size) -> Window {
        let (width, height) = (f64::from(size.width), f64::from(size.height));
        let [least, most] = self.ratio;
        let wide = width / height;
        let inner = if wide < least {
            Size::new(size.width, ((width / least).round_ties_even() as u32).clamp(1, size.height))
        } else if wide > most {
            Size::new(((height * most).round_ties_even() as u32).clamp(1, size.width), size.height)
        } else {
            size
        };
        Window { x: (size.width - inner.width) / 2, y: (size.height - inner.height) / 2, size: inner }
    }

    fn window(&self, rng: &mut Rng, size: Size) -> Window {
        for _ in 0..TRIES {
            let area = size.area() as f64 * rng.uniform(self.scale);
            let ratio = libm::exp(rng.uniform(self.log_ratio));
            let width = (area * ratio).sqrt().round_ties_even();
            let height = (area / ratio).sqrt().round_ties_even();
            if (1.0..=f64::from(size.width)).contains(&width) && (1.0..=f64::from(size.height)).contains(&height) {
                let inner = Size::new(width as u32, height as u32);
                let y = rng.below(u64::from(size.height - inner.height) + 1) as u32;
                let x = rng.below(u64::from(size.width - inner.width) + 1) as u32;
                return Window { x, y, size: inner };
            }
        }
        self.fallback(size)
    }
}

impl Op for RandomResizedCrop {
    type Params = Window;
    const NAME: &'static str = "random_resized_crop";
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

/// Windows tried before the middle is taken.
const TRIES: u32 = 10;
