use super::geometry::{Resizing, mirror_rows};
use super::op::Scratch;
use crate::image::{Image, Pixels, Size, ValuesMut};
use crate::simd::Kernel as _;

mod steps;

use steps::InPlace;
pub(super) use steps::Step;

impl Step {
    /// Does it now, to all values of an image.
    pub(super) fn apply(self, image: &mut Image<'_>) {
        let mut finish = Finish::default();
        finish.leave(self);
        finish.apply(image, &mut Scratch::default());
    }
}

/// What is left undone at an image: resizing it to floats, then steps. Whoever looks at it next does all at once, some rows at a time,
/// which stay in the nearest cache.
#[derive(Debug)]
pub struct Finish {
    resizing: Option<Resizing>,
    mirrored: bool,
    steps: [Step; MOST],
    count: usize,
}

/// Steps that may wait.
const MOST: usize = 8;

/// Floats of the rows that are made at once, unless a single row has more: few enough to stay in the nearest cache with what they are
/// made of, and so many that the loads of one step do not wait for the stores of the step before.
const STRIP: usize = 2048;

impl Default for Finish {
    /// Nothing is left.
    fn default() -> Self {
        Finish { resizing: None, mirrored: false, steps: [Step::Mirror; MOST], count: 0 }
    }
}

impl Finish {
    /// Whether nothing is left.
    pub fn is_nothing(&self) -> bool {
        self.resizing.is_none() && !self.mirrored && self.count == 0
    }

    /// The size of an image that is finished.
    pub fn size(&self, image: &Image<'_>) -> Size {
        self.resizing.as_ref().map_or(image.size(), Resizing::size)
    }

    /// Whether an image that is finished has floats.
    pub fn makes_floats(&self, image: &Image<'_>) -> bool {
        self.resizing.is_some() || image.as_f32().is_some()
    }

    /// Leaves a step for later. False if too many wait already.
    pub(super) fn leave(&mut self, step: Step) -> bool {
        if step == Step::Mirror {
            // It does not matter when: the other steps do not ask where a value stands in its row.
            match &mut self.resizing {
                Some(resizing) => resizing.mirror(),
                None => self.mirrored = !self.mirrored,
            }
            return true;
        }
        if let Some(last) = self.count.checked_sub(1)
            && let Some(both) = self.steps[last].then(step)
        {
            self.steps[last] = both;
            return true;
        }
        let Some(place) = self.steps.get_mut(self.count) else { return false };
        *place = step;
        self.count += 1;
        true
    }

    /// Leaves resizing for later, of an image at which nothing else is left.
    pub(super) fn leave_resizing(&mut self, resizing: Resizing) {
        debug_assert!(self.is_nothing());
        self.resizing = Some(resizing);
    }

    /// Does what is left, and leaves nothing. Images that stay of 8 bits have nothing left.
    pub fn apply(&mut self, image: &mut Image<'_>, scratch: &mut Scratch) {
        // An image that nothing is to be done to may be somebody else's, and is not copied.
        let left = std::mem::take(self);
        if left.is_nothing() {
            return;
        }
        if let Some(resizing) = &left.resizing {
            let made = resizing.image(image, scratch);
            scratch.recycle(std::mem::replace(image, made));
        }
        let (width, channels) = (image.size().width as usize, image.channels());
        let ValuesMut::F32(values) = image.values_mut() else { return };
        // Once through the memory.
        values
            .chunks_mut(rows_of_strip(width * channels) * width * channels)
            .for_each(|strip| left.finish_rows(width, channels, strip));
    }

    /// Gives the rows of the finished image to `take`, from top to bottom, some at a time. Images that stay of 8 bits have none.
    pub fn strips(&self, image: &Image<'_>, scratch: &mut Scratch, mut take: impl FnMut(&[f32])) {
        let (size, channels) = (self.size(image), image.channels());
        let (width, height) = (size.width as usize, size.height as usize);
        let (row, rows) = (width * channels, rows_of_strip(width * channels));
        let mut strip = scratch.floats(row * rows);
        match (&self.resizing, image.pixels()) {
            (Some(resizing), _) => {
                let mut work = scratch.floats(resizing.work(image));
                for first in (0..height).step_by(rows) {
                    let strip = &mut strip[..rows.min(height - first) * row];
                    resizing.rows(image, first, &mut work, strip);
                    self.finish_rows(width, channels, strip);
                    take(strip);
                }
                scratch.recycle_floats(work);
            }
            (None, Pixels::F32(values)) if self.is_nothing() => values.chunks(row * rows).for_each(take),
            (None, Pixels::F32(values)) => {
                for values in values.chunks(row * rows) {
                    let strip = &mut strip[..values.len()];
                    strip.copy_from_slice(values);
                    self.finish_rows(width, channels, strip);
                    take(strip);
                }
            }
            (None, Pixels::U8(_)) => {}
        }
        scratch.recycle_floats(strip);
    }

    /// Finishes whole rows, where they are.
    fn finish_rows(&self, width: usize, channels: usize, values: &mut [f32]) {
        if self.mirrored {
            mirror_rows(values, width, channels);
        }
        if self.count > 0 {
            InPlace { steps: &self.steps[..self.count], channels, values }.dispatch();
        }
    }
}

/// How many rows of `row` floats are made at once.
fn rows_of_strip(row: usize) -> usize {
    (STRIP / row.max(1)).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_mirrored_twice_is_as_it_was_and_no_more_steps_wait_than_there_is_room_for() {
        let image = Image::from_f32(Size::new(2, 1), 3, vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        let mut finish = Finish::default();
        assert!(finish.leave(Step::Mirror) && !finish.is_nothing());
        let mut mirrored = image.clone();
        finish.apply(&mut mirrored, &mut Scratch::default());
        assert_eq!(mirrored.as_f32(), Some(&[4.0, 5.0, 6.0, 1.0, 2.0, 3.0][..]));
        assert!(finish.leave(Step::Mirror) && finish.leave(Step::Mirror) && finish.is_nothing());
        assert!((0..MOST).all(|_| finish.leave(Step::add(1.0))) && !finish.leave(Step::add(1.0)));
        let mut added = image;
        finish.apply(&mut added, &mut Scratch::default());
        assert_eq!(added.as_f32().map(|values| values[0]), Some(1.0 + MOST as f32));
        assert!(finish.is_nothing());
    }
}
