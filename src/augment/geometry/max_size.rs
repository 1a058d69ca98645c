use serde::{Deserialize, Serialize};

use super::resample::Resampling;
use crate::augment::op::{Cut, Refusal, Scratch};
use crate::image::{Excerpt, Form, Image, Size, Window};
use crate::sample::Geometry;
use crate::seed::Rng;

/// Which size an image gets that keeps the ratio of its sides.
pub(super) struct MaxSize {
    /// Which side the length is for.
    pub(super) side: Side,
    pub(super) length: Length,
    pub(super) resampling: Resampling,
}

#[derive(Clone, Copy, PartialEq)]
pub(super) enum Side {
    Longest,
    Smallest,
}

pub(super) enum Length {
    /// One of several for the side, whichever it is. Not empty, none 0.
    Any(Vec<u32>),
    /// One for each side, or for one of them.
    Each { width: Option<u32>, height: Option<u32> },
}

/// What is drawn: the place of the length in its list.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Choice {
    index: usize,
}

impl Length {
    /// As the fields `max_size`, `max_height` and `max_width` say it.
    pub(super) fn new(any: &[u32], height: u32, width: u32) -> Result<Self, Refusal> {
        let some = |side: u32| (side > 0).then_some(side);
        match (any.is_empty(), height, width) {
            (true, 0, 0) => Err(Refusal::new("max_size", "missing", "`max_size`, or `max_height` or `max_width`")),
            (true, _, _) => Ok(Length::Each { width: some(width), height: some(height) }),
            (false, 0, 0) => Ok(Length::Any(any.to_vec())),
            (false, _, _) => {
                let expected = "nothing beside `max_height` and `max_width`: they or `max_size` say the size";
                Err(Refusal::new("max_size", format!("{any:?}"), expected))
            }
        }
    }
}

impl MaxSize {
    pub(super) fn draw(&self, rng: &mut Rng) -> Choice {
        match &self.length {
            Length::Any(lengths) => Choice { index: rng.below(lengths.len() as u64) as usize },
            Length::Each { .. } => Choice { index: 0 },
        }
    }

    /// The size of an image of `from`.
    pub(super) fn size(&self, choice: Choice, from: Size) -> Size {
        let (w, h) = (f64::from(from.width), f64::from(from.height));
        let longest = self.side == Side::Longest;
        let scale = match &self.length {
            Length::Any(lengths) => {
                let length = lengths.get(choice.index).or(lengths.last()).copied().unwrap_or(1);
                f64::from(length) / if longest { w.max(h) } else { w.min(h) }
            }
            Length::Each { width, height } => {
                let (x, y) = (width.map(|width| f64::from(width) / w), height.map(|height| f64::from(height) / h));
                match (x, y) {
                    (Some(x), Some(y)) if longest => x.min(y),
                    (Some(x), Some(y)) => x.max(y),
                    (x, y) => x.or(y).unwrap_or(1.0),
                }
            }
        };
        scaled(from, scale)
    }

    /// The form of the images that leave.
    pub(super) fn form(&self, input: Form) -> Result<Form, Refusal> {
        let count = if let Length::Any(lengths) = &self.length { lengths.len() } else { 1 };
        let (small, large) = (input.smallest, input.largest);
        // A side grows with itself and shrinks with the other one.
        let wide = |choice| self.size(choice, Size::new(large.width, small.height)).width;
        let high = |choice| self.size(choice, Size::new(small.width, large.height)).height;
        let narrow = |choice| self.size(choice, Size::new(small.width, large.height)).width;
        let low = |choice| self.size(choice, Size::new(large.width, small.height)).height;
        let choices = || (0..count).map(|index| Choice { index });
        let least = |side: &dyn Fn(Choice) -> u32| choices().map(side).min().unwrap_or(1);
        let most = |side: &dyn Fn(Choice) -> u32| choices().map(side).max().unwrap_or(1);
        let smallest = Size::new(least(&narrow), least(&low));
        let largest = Size::new(most(&wide), most(&high));
        if count == 1 && input.fixed().is_some() {
            return checked(input.sized(self.size(Choice { index: 0 }, small)));
        }
        checked(Form { smallest, largest, ..input })
    }

    pub(super) fn apply<'a>(&self, choice: Choice, image: Image<'a>, scratch: &mut Scratch) -> Image<'a> {
        let from = image.size();
        self.resampling.apply(image, Window { x: 0, y: 0, size: from }, self.size(choice, from), scratch)
    }

    /// The whole image, and the size that it gets.
    pub(super) fn cut(&self, rng: &mut Rng, size: Size) -> Cut {
        Cut::resized(Window { x: 0, y: 0, size }, self.size(self.draw(rng), size))
    }

    pub(super) fn apply_to_cut<'a>(
        &self,
        image: Image<'a>,
        cut: Excerpt,
        rng: &mut Rng,
        scratch: &mut Scratch,
    ) -> Image<'a> {
        let to = self.size(self.draw(rng), cut.window.size);
        self.resampling.apply_to_excerpt(image, cut, to, scratch)
    }

    pub(super) fn geometry(&self, choice: Choice, from: Size) -> Geometry {
        Geometry::stretch((0, 0), from, self.size(choice, from))
    }
}

/// Both sides times `scale`, rounded half to even, and at least 1.
pub(super) fn scaled(from: Size, scale: f64) -> Size {
    let side = |side: u32| (f64::from(side) * scale).round_ties_even().max(1.0) as u32;
    Size::new(side(from.width), side(from.height))
}

/// Refuses sizes that no memory is there for: a side of one pixel beside a very long one would make a gigantic image.
pub(super) fn checked(form: Form) -> Result<Form, Refusal> {
    // The bounds of a form are those of each side for itself, so only each is checked: as long as 16384 pixels squared allow.
    for side in [form.largest.width, form.largest.height] {
        if side > MOST_LENGTH {
            let expected = format!("sizes of which no side becomes longer than {MOST_LENGTH} pixels");
            return Err(Refusal::new("", format!("a side of up to {side} pixels"), expected));
        }
    }
    Ok(form)
}

/// Longest side of a result that follows the image.
const MOST_LENGTH: u32 = 65_535;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::Depth;

    #[test]
    fn announced_sizes_hold_every_size() {
        let form = Form { smallest: Size::new(3, 5), largest: Size::new(11, 8), channels: 3, depth: Depth::U8 };
        for side in [Side::Longest, Side::Smallest] {
            let lengths = [
                Length::Any(vec![6, 9]),
                Length::Each { width: Some(7), height: Some(9) },
                Length::Each { width: None, height: Some(4) },
            ];
            for (case, length) in lengths.into_iter().enumerate() {
                let resampling = Resampling::new(0, None, false).expect("the default");
                let max = MaxSize { side, length, resampling };
                let announced = max.form(form).expect("small");
                for (width, height) in (3..=11).flat_map(|width| (5..=8).map(move |height| (width, height))) {
                    for index in [0, 1, 99] {
                        let size = max.size(Choice { index }, Size::new(width, height));
                        let inside = (announced.smallest.width..=announced.largest.width).contains(&size.width)
                            && (announced.smallest.height..=announced.largest.height).contains(&size.height);
                        assert!(inside, "{width}x{height} becomes {size} in case {case}");
                    }
                }
            }
        }
    }
}
