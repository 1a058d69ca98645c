use feedline_proto::v1;

use super::{crop, range};
use crate::augment::op::{About, Built, Op, Refusal, Scratch, Targets};
use crate::image::{Form, Image, Size, Window};
use crate::sample::{BoundingBox, Geometry, Sample};
use crate::seed::Rng;

/// Cuts a window out that has enough in common with a box.
struct RandomIouCrop {
    scale: [f64; 2],
    ratio: [f64; 2],
    /// Not empty.
    overlaps: Vec<f64>,
    trials: u32,
}

pub(in crate::augment) const ABOUT: About = About {
    version: 1,
    equals: "Cuts a window out that has enough in common with one of the boxes, as SSD is trained: torchvision's `RandomIoUCrop`, by its
distribution. Exact for a given window. Boxes whose middle is outside are dropped, where torchvision leaves empty ones for
`SanitizeBoundingBoxes`. An image without boxes stays as it is, where torchvision fails; so does one for which 100 overlaps in a row
found no window, where torchvision goes on for ever. Images differ in size after it.",
    targets: Targets::All,
    example: "random_iou_crop = {}",
};

pub(in crate::augment) fn from_message(message: &v1::RandomIouCrop, input: Form) -> Result<Built, Refusal> {
    let scale = range("scale", &message.scale)?;
    if message.min_iou.is_empty() {
        return Err(Refusal::new("min_iou", "missing", "at least one overlap"));
    }
    let op = RandomIouCrop {
        scale,
        ratio: range("ratio", &message.ratio)?,
        overlaps: message.min_iou.clone(),
        trials: message.trials.unwrap_or(40),
    };
    let least = |side: u32| ((f64::from(side) * scale[0]) as u32).clamp(1, side);
    let smallest = Size::new(least(input.smallest.width), least(input.smallest.height));
    Built::maybe(op, message.p, input, Form { smallest, ..input })
}

impl RandomIouCrop {
    /// A window that has at least `overlap` in common with a box whose middle is within, if one of the trials is.
    fn window(&self, rng: &mut Rng, overlap: f64, size: Size, boxes: &[BoundingBox]) -> Option<Window> {
        for _ in 0..self.trials {
            let [width, height] =
                [size.width, size.height].map(|side| ((f64::from(side) * rng.uniform(self.scale)) as u32).min(side));
            if width == 0 || height == 0 {
                continue;
            }
            let ratio = f64::from(width) / f64::from(height);
            if !(self.ratio[0]..=self.ratio[1]).contains(&ratio) {
                continue;
            }
            let [x, y] = [size.width - width, size.height - height].map(|room| (f64::from(room) * rng.unit()) as u32);
            let window = Window { x, y, size: Size::new(width, height) };
            let best = boxes.iter().filter(|b| holds_middle(window, b)).map(|b| iou(window, b)).fold(-1.0, f64::max);
            if best >= overlap {
                return Some(window);
            }
        }
        None
    }
}

/// Left, upper, right and lower edge of a window.
fn edges(window: Window) -> [f64; 4] {
    let Window { x, y, size } = window;
    let (x, y) = (f64::from(x), f64::from(y));
    [x, y, x + f64::from(size.width), y + f64::from(size.height)]
}

fn holds_middle(window: Window, b: &BoundingBox) -> bool {
    let [left, top, right, bottom] = edges(window);
    let (x, y) = (0.5 * (b.x_min + b.x_max), 0.5 * (b.y_min + b.y_max));
    left < x && x < right && top < y && y < bottom
}

/// Intersection over union.
fn iou(window: Window, b: &BoundingBox) -> f64 {
    let [left, top, right, bottom] = edges(window);
    let wide = (right.min(b.x_max) - left.max(b.x_min)).max(0.0);
    let high = (bottom.min(b.y_max) - top.max(b.y_min)).max(0.0);
    let both = (right - left) * (bottom - top) + (b.x_max - b.x_min) * (b.y_max - b.y_min) - wide * high;
    wide * high / both
}

impl Op for RandomIouCrop {
    /// The window; none for the whole image.
    type Params = Option<Window>;
    const NAME: &'static str = "random_iou_crop";

    fn draw(&self, rng: &mut Rng, sample: &Sample<'_>) -> Option<Window> {
        if sample.boxes.is_empty() {
            return None;
        }
        for _ in 0..MOST_OVERLAPS {
            let overlap = self.overlaps[rng.below(self.overlaps.len() as u64) as usize];
            if overlap >= 1.0 {
                return None;
            }
            let window = self.window(rng, overlap, sample.image.size(), &sample.boxes);
            if window.is_some() {
                return window;
            }
        }
        None
    }

    fn apply<'a>(&self, window: &Option<Window>, image: Image<'a>, scratch: &mut Scratch) -> Image<'a> {
        match window {
            Some(window) => {
                let window = crop::inside(*window, image.size());
                crop::cut(image, window, scratch)
            }
            None => image,
        }
    }

    fn geometry(&self, window: &Option<Window>, size: Size) -> Option<Geometry> {
        let window = crop::inside((*window)?, size);
        Some(Geometry::crop(window.x.into(), window.y.into(), window.size))
    }

    fn annotate(&self, window: &Option<Window>, sample: &mut Sample<'_>) {
        let size = sample.image.size();
        if let (Some(window), Some(geometry)) = (window, self.geometry(window, size)) {
            let window = crop::inside(*window, size);
            sample.boxes.retain(|b| holds_middle(window, b));
            geometry.move_annotations(sample);
        }
    }
}

/// Overlaps drawn at most, each with its trials.
const MOST_OVERLAPS: u32 = 100;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::{Key, Purpose};

    #[test]
    fn windows_have_the_sides_the_ratio_and_the_overlap_that_was_drawn() {
        let size = Size::new(120, 90);
        let boxed = |x: f64, y: f64| BoundingBox { x_min: x, y_min: y, x_max: x + 50.0, y_max: y + 40.0, label: 0 };
        let mut sample = Sample::new(Image::from_u8(size, 1, vec![0; size.area() as usize]), 0);
        sample.boxes = vec![boxed(5.0, 8.0), boxed(60.0, 30.0)];
        let op =
            |overlap: f64| RandomIouCrop { scale: [0.3, 1.0], ratio: [0.5, 2.0], overlaps: vec![overlap], trials: 40 };
        let draw = |overlap: f64, position| {
            let key = Key { seed: 1, epoch: 0, position, view: 0, op: 0, purpose: Purpose::Op };
            op(overlap).draw(&mut key.rng(), &sample)
        };
        let (mut wide, mut places) = (Vec::new(), Vec::new());
        for overlap in [0.0, 0.3, 0.7] {
            for position in 0..500 {
                let window = draw(overlap, position).expect("there is such a window");
                let Size { width, height } = window.size;
                assert!(window.x + width <= 120 && window.y + height <= 90 && width >= 36 && height >= 27);
                assert!((0.5..=2.0).contains(&(f64::from(width) / f64::from(height))));
                let best = sample.boxes.iter().filter(|b| holds_middle(window, b)).map(|b| iou(window, b));
                assert!(best.fold(-1.0, f64::max) >= overlap, "{window:?} for {overlap}");
                if overlap == 0.0 {
                    wide.push(f64::from(width) / 120.0);
                    places.push(f64::from(window.x) / f64::from(121 - width));
                }
            }
        }
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
        // With nothing asked for but a middle within, sides and places are near to uniform.
        assert!((mean(&wide) - 0.68).abs() < 0.05, "{}", mean(&wide));
        assert!((mean(&places) - 0.5).abs() < 0.08, "{}", mean(&places));
        assert_eq!(draw(1.0, 0), None);
        sample.boxes.clear();
        let key = Key { seed: 1, epoch: 0, position: 0, view: 0, op: 0, purpose: Purpose::Op };
        assert_eq!(op(0.1).draw(&mut key.rng(), &sample), None);
    }
}
