use super::geometry::mirror_rows;
use crate::image::{Image, ValuesMut};
use crate::simd::{self, Kernel as _};

/// What an op does to an image of floats where every value becomes one of that value alone, or rows are mirrored. Such steps are cheap, and
/// reading and writing the whole image for each is not: they wait in a [`Finish`] until somebody looks at the image.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Step {
    /// Left and right exchanged.
    Mirror,
    /// Divided by a number.
    Divide(f32),
    /// A number added.
    Add(f32),
    /// Times the first number, and limited to 0 to the second; NaN is 0.
    Scale(f32, f32),
    /// Limited from the first number to the second.
    Clip(f32, f32),
    /// The mean of its channel subtracted, divided by the deviation of its channel; of images of one channel the first of each.
    Normalize([f32; 3], [f32; 3]),
}

impl Step {
    /// Does it now, to all values of an image.
    pub(super) fn apply(self, image: &mut Image<'_>) {
        Finish { mirrored: self == Step::Mirror, steps: [self; MOST], count: usize::from(self != Step::Mirror) }
            .apply(image);
    }
}

/// Steps that are left undone at an image of floats.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Finish {
    mirrored: bool,
    steps: [Step; MOST],
    count: usize,
}

/// Steps that may wait.
const MOST: usize = 8;

impl Default for Finish {
    /// Nothing is left.
    fn default() -> Self {
        Finish { mirrored: false, steps: [Step::Mirror; MOST], count: 0 }
    }
}

impl Finish {
    /// Whether nothing is left.
    pub fn is_nothing(&self) -> bool {
        !self.mirrored && self.count == 0
    }

    /// Leaves a step for later. False if too many wait already.
    pub(super) fn leave(&mut self, step: Step) -> bool {
        if step == Step::Mirror {
            // It does not matter when: the other steps do not ask where a value stands in its row.
            self.mirrored = !self.mirrored;
            return true;
        }
        let Some(place) = self.steps.get_mut(self.count) else { return false };
        *place = step;
        self.count += 1;
        true
    }

    /// Does what is left, and leaves nothing. Images of 8 bits have nothing left.
    pub fn apply(&mut self, image: &mut Image<'_>) {
        let left = std::mem::take(self);
        if left.is_nothing() {
            return;
        }
        let (width, channels) = (image.size().width as usize, image.channels());
        let ValuesMut::F32(values) = image.values_mut() else { return };
        if left.mirrored {
            mirror_rows(values, width, channels);
        }
        InPlace { steps: left.steps(), channels, values }.dispatch();
    }

    /// Makes rows of `width` pixels of 1 or 3 `channels`, `to`, of the rows of an image of floats, which are as many.
    pub fn rows(&self, from: &[f32], width: usize, channels: usize, to: &mut [f32]) {
        Rows { finish: self, from, width, channels, to }.dispatch();
    }

    fn steps(&self) -> &[Step] {
        &self.steps[..self.count]
    }
}

/// Steps of all rows of an image, on the way from one place to another.
struct Rows<'a> {
    finish: &'a Finish,
    from: &'a [f32],
    width: usize,
    channels: usize,
    to: &'a mut [f32],
}

impl simd::Kernel for Rows<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Rows { finish, from, width, channels, to } = self;
        let length = (width * channels).max(1);
        // Step by step a row at a time, which stays in the nearest cache; in smaller parts loads would wait for stores.
        for (from, to) in from.chunks_exact(length).zip(to.chunks_exact_mut(length)) {
            match (finish.mirrored, channels) {
                (false, _) => to.copy_from_slice(from),
                (true, 3) => {
                    let pixels = from.as_chunks::<3>().0.iter().rev();
                    to.as_chunks_mut::<3>().0.iter_mut().zip(pixels).for_each(|(to, pixel)| *to = *pixel);
                }
                (true, _) => to.iter_mut().zip(from.iter().rev()).for_each(|(to, x)| *to = *x),
            }
            all_steps(finish.steps(), channels, to);
        }
    }
}

/// Values that are whole pixels and whole vectors.
const BLOCK: usize = 48;

/// Steps of all values of an image, where they are.
struct InPlace<'a> {
    steps: &'a [Step],
    channels: usize,
    values: &'a mut [f32],
}

impl simd::Kernel for InPlace<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        // As long as a row may be, and whole pixels.
        for part in self.values.chunks_mut(16 * BLOCK) {
            all_steps(self.steps, self.channels, part);
        }
    }
}

/// Does the steps to values that begin with the first channel.
#[inline(always)]
fn all_steps(steps: &[Step], channels: usize, values: &mut [f32]) {
    for step in steps {
        match *step {
            Step::Mirror => {}
            Step::Divide(divisor) => {
                for x in values.iter_mut() {
                    *x /= divisor;
                }
            }
            Step::Add(added) => {
                for x in values.iter_mut() {
                    *x += added;
                }
            }
            Step::Scale(factor, most) => {
                for x in values.iter_mut() {
                    let scaled = *x * factor;
                    let scaled = if scaled > 0.0 { scaled } else { 0.0 };
                    *x = if scaled < most { scaled } else { most };
                }
            }
            Step::Clip(low, high) => {
                for x in values.iter_mut() {
                    *x = x.clamp(low, high);
                }
            }
            Step::Normalize(mean, std) if channels == 3 => {
                let (mut means, mut stds) = ([0.0; BLOCK], [1.0; BLOCK]);
                for at in 0..BLOCK {
                    (means[at], stds[at]) = (mean[at % 3], std[at % 3]);
                }
                let (blocks, rest) = values.as_chunks_mut::<BLOCK>();
                for block in blocks {
                    for at in 0..BLOCK {
                        block[at] = (block[at] - means[at]) / stds[at];
                    }
                }
                for (at, x) in rest.iter_mut().enumerate() {
                    *x = (*x - means[at]) / stds[at];
                }
            }
            Step::Normalize(mean, std) => {
                for x in values.iter_mut() {
                    *x = (*x - mean[0]) / std[0];
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::Size;
    use crate::simd::Level;

    const STEPS: [Step; 6] = [
        Step::Divide(255.0),
        Step::Divide(0.3),
        Step::Add(-0.07),
        Step::Scale(1.7, 1.0),
        Step::Clip(0.1, 0.9),
        Step::Normalize([0.1, 0.2, 0.3], [0.4, 0.5, 0.7]),
    ];

    /// Everyday values and odd ones.
    fn values() -> Vec<f32> {
        let odd = [0.0, -0.0, f32::NAN, f32::INFINITY, f32::MIN_POSITIVE, 1e-41, -3e38, 255.0, 1.0];
        (0..1000).map(|x| x as f32 * 0.37 - 20.0).chain(odd).chain((0..201).map(|x| x as f32)).collect()
    }

    #[test]
    fn every_level_does_each_step_to_the_bits_of_its_definition() {
        for channels in [1, 3] {
            for step in STEPS {
                let defined = |x: f32, channel: usize| match step {
                    Step::Mirror => x,
                    Step::Divide(divisor) => x / divisor,
                    Step::Add(added) => x + added,
                    Step::Scale(_, most) if x * 1.7 >= most => most,
                    Step::Scale(factor, _) => (x * factor).max(0.0),
                    Step::Clip(low, high) => x.clamp(low, high),
                    Step::Normalize(mean, std) => (x - mean[channel]) / std[channel],
                };
                let expected = values().into_iter().enumerate().map(|(at, x)| defined(x, at % channels));
                let expected: Vec<f32> = expected.collect();
                for level in Level::available() {
                    let mut row = values();
                    InPlace { steps: &[step], channels, values: &mut row }.run_at(level);
                    for (found, expected) in row.iter().zip(&expected) {
                        let same = found.to_bits() == expected.to_bits() || found.is_nan() && expected.is_nan();
                        assert!(
                            same || (*found == 0.0 && *expected == 0.0 && matches!(step, Step::Scale(..))),
                            "{step:?}, {level:?}: {found} is not {expected}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn what_was_mirrored_twice_is_as_it_was_and_no_more_steps_wait_than_there_is_room_for() {
        let image = Image::from_f32(Size::new(2, 1), 3, vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        let mut finish = Finish::default();
        assert!(finish.leave(Step::Mirror) && !finish.is_nothing());
        let mut mirrored = image.clone();
        finish.clone().apply(&mut mirrored);
        assert_eq!(mirrored.as_f32(), Some(&[4.0, 5.0, 6.0, 1.0, 2.0, 3.0][..]));
        assert!(finish.leave(Step::Mirror) && finish.is_nothing());
        assert!((0..MOST).all(|_| finish.leave(Step::Add(1.0))) && !finish.leave(Step::Add(1.0)));
        let mut added = image;
        finish.apply(&mut added);
        assert_eq!(added.as_f32().map(|values| values[0]), Some(1.0 + MOST as f32));
        assert!(finish.is_nothing());
    }
}
