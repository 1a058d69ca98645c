use feedline_proto::v1::HoleFill;
use serde::{Deserialize, Serialize};

use crate::augment::op::Refusal;
use crate::image::{Image, Size, ValuesMut};
use crate::sample::{BoundingBox, Sample};
use crate::seed::{Field, Rng};

/// A rectangle, in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Hole {
    pub(super) x: u32,
    pub(super) y: u32,
    pub(super) width: u32,
    pub(super) height: u32,
}

/// Rectangles, and what the random numbers that fill them are made of.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Holes {
    pub(super) holes: Vec<Hole>,
    /// Below 2^53.
    #[serde(default)]
    pub(super) seed: u64,
}

impl Hole {
    /// One of this size at a place drawn uniformly; as much of it as fits.
    pub(super) fn anywhere(rng: &mut Rng, width: u32, height: u32, size: Size) -> Hole {
        let (width, height) = (width.min(size.width), height.min(size.height));
        let y = rng.below(u64::from(size.height - height) + 1) as u32;
        Hole { x: rng.below(u64::from(size.width - width) + 1) as u32, y, width, height }
    }

    /// First and last but one column and row, within an image of `size`.
    fn within(self, size: Size) -> [usize; 4] {
        let end = |start: u32, length: u32, side: u32| start.saturating_add(length).min(side) as usize;
        let (right, lower) = (end(self.x, self.width, size.width), end(self.y, self.height, size.height));
        [(self.x as usize).min(right), (self.y as usize).min(lower), right, lower]
    }

    /// Calls `f` with the number of the first value of each of its rows, and how many values it has there.
    fn rows(self, size: Size, channels: usize, mut f: impl FnMut(usize, usize)) {
        let [x, y, right, lower] = self.within(size);
        (y..lower).for_each(|row| f((row * size.width as usize + x) * channels, (right - x) * channels));
    }
}

impl Holes {
    /// Fills them all.
    pub(super) fn fill(&self, image: &mut Image<'_>, fill: &Fill) {
        let (size, channels) = (image.size(), image.channels());
        if let Fill::Constant(color) = fill {
            return match image.values_mut() {
                // A cast saturates.
                ValuesMut::U8(values) => self.paint(values, size, &color.map(|x| x as u8)[..channels]),
                ValuesMut::F32(values) => self.paint(values, size, &color[..channels]),
            };
        }
        let field = Field::new(self.seed);
        // So that every value of every hole has a random number of its own.
        let mut index = 0_u32;
        for hole in &self.holes {
            let first = index;
            let [x, y, right, lower] = hole.within(size);
            index = index.wrapping_add(((right - x) * (lower - y) * channels) as u32);
            let mut next = first;
            match image.values_mut() {
                ValuesMut::U8(values) => hole.rows(size, channels, |at, length| {
                    for (place, to) in values[at..at + length].iter_mut().enumerate() {
                        let channel = place % channels;
                        *to = fill.byte(field, first.wrapping_add(channel as u32), next, channel);
                        next = next.wrapping_add(1);
                    }
                }),
                ValuesMut::F32(values) => hole.rows(size, channels, |at, length| {
                    for (place, to) in values[at..at + length].iter_mut().enumerate() {
                        let channel = place % channels;
                        *to = fill.float(field, first.wrapping_add(channel as u32), next, channel);
                        next = next.wrapping_add(1);
                    }
                }),
            }
        }
    }

    /// Fills them all with one colour: a row of each, and copies of it.
    fn paint<T: Copy>(&self, values: &mut [T], size: Size, color: &[T]) {
        for hole in &self.holes {
            let mut painted: Option<usize> = None;
            hole.rows(size, color.len(), |at, length| match painted {
                Some(first) => values.copy_within(first..first + length, at),
                None => {
                    values[at..at + length]
                        .chunks_exact_mut(color.len())
                        .for_each(|pixel| pixel.copy_from_slice(color));
                    painted = Some(at);
                }
            });
        }
    }

    /// Gives the mask a class in the holes if there is one, shrinks boxes that a hole touches to the whole pixels that are left of
    /// them, and takes boxes of which nothing is left and keypoints in holes away.
    pub(super) fn annotate(&self, sample: &mut Sample<'_>, class: Option<u8>) {
        let size = sample.image.size();
        for mask in sample.masks.iter_mut().filter(|_| class.is_some()) {
            let (size, class, classes) = (mask.size, class.unwrap_or_default(), &mut mask.classes);
            self.holes.iter().for_each(|hole| hole.rows(size, 1, |at, length| classes[at..at + length].fill(class)));
        }
        sample.keypoints.retain(|point| {
            let inside = |hole: &Hole| {
                let [x, y, right, lower] = hole.within(size).map(|side| side as f64);
                point.x >= x && point.x < right && point.y >= y && point.y < lower
            };
            !self.holes.iter().any(inside)
        });
        if sample.boxes.is_empty() || self.holes.is_empty() {
            return;
        }
        let mut holed = vec![false; size.area() as usize];
        for hole in &self.holes {
            hole.rows(size, 1, |at, length| holed[at..at + length].fill(true));
        }
        sample.boxes.retain_mut(|marked| visible(marked, &holed, size));
    }
}

/// Shrinks a box to what is left of it; false if nothing is.
fn visible(marked: &mut BoundingBox, holed: &[bool], size: Size) -> bool {
    // A cast cuts the fraction off and saturates.
    let side = |x: f64, most: u32| (x as usize).min(most as usize);
    let (left, right) = (side(marked.x_min, size.width), side(marked.x_max, size.width));
    let (top, bottom) = (side(marked.y_min, size.height), side(marked.y_max, size.height));
    let hole = |x: usize, y: usize| holed[y * size.width as usize + x];
    let mut kept: Option<[usize; 4]> = None;
    let mut touched = false;
    for (y, x) in (top..bottom).flat_map(|y| (left..right).map(move |x| (y, x))) {
        if hole(x, y) {
            touched = true;
            continue;
        }
        let [a, b, c, d] = kept.unwrap_or([x, y, x + 1, y + 1]);
        kept = Some([a.min(x), b.min(y), c.max(x + 1), d.max(y + 1)]);
    }
    match kept {
        _ if !touched => true,
        None => false,
        Some(kept) => {
            [marked.x_min, marked.y_min, marked.x_max, marked.y_max] = kept.map(|side| side as f64);
            true
        }
    }
}

/// What holes are filled with.
#[derive(Clone, Copy, Debug)]
pub(super) enum Fill {
    /// One colour.
    Constant([f32; 3]),
    /// A number for each value, uniform from 0 to full brightness.
    Random(f32),
    /// As many for each hole as a pixel has.
    RandomUniform(f32),
    /// A number for each value: a mean, and standard normal ones times a deviation; not clamped if there is no full brightness.
    Normal(Bell),
    /// As many for each hole as a pixel has.
    NormalUniform(Bell),
}

/// A normal distribution.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bell {
    pub(super) mean: f32,
    pub(super) deviation: f32,
    pub(super) full: Option<f32>,
}

impl Fill {
    /// As a message has it.
    pub(super) fn new(fill: HoleFill, color: &[f64], full: f32) -> Result<Self, Refusal> {
        Ok(match fill {
            HoleFill::Unspecified | HoleFill::Constant => Fill::Constant(colour("color", color)?),
            HoleFill::Random => Fill::Random(full),
            HoleFill::RandomUniform => Fill::RandomUniform(full),
        })
    }

    #[inline(always)]
    fn byte(&self, field: Field, same: u32, own: u32, channel: usize) -> u8 {
        match self {
            Fill::Random(_) => (field.word(own) >> 24) as u8,
            Fill::RandomUniform(_) => (field.word(same) >> 24) as u8,
            // A cast saturates.
            Fill::Constant(_) => self.float(field, same, own, channel) as u8,
            Fill::Normal(_) | Fill::NormalUniform(_) => self.float(field, same, own, channel).round_ties_even() as u8,
        }
    }

    #[inline(always)]
    fn float(&self, field: Field, same: u32, own: u32, channel: usize) -> f32 {
        match self {
            Fill::Constant(color) => color[channel],
            Fill::Random(full) => field.unit(own) * full,
            Fill::RandomUniform(full) => field.unit(same) * full,
            Fill::Normal(bell) => bell.at(field.normal(own)),
            Fill::NormalUniform(bell) => bell.at(field.normal(same)),
        }
    }
}

impl Bell {
    fn at(&self, z: f32) -> f32 {
        let x = self.mean + self.deviation * z;
        self.full.map_or(x, |full| x.clamp(0.0, full))
    }
}

/// A colour of three channels; an image of one takes the first.
pub(super) fn colour(field: &str, color: &[f64]) -> Result<[f32; 3], Refusal> {
    let color = <[f64; 3]>::try_from(color);
    color
        .map(|color| color.map(|x| x as f32))
        .map_err(|_| Refusal::new(field, "another number of values", "three numbers"))
}
