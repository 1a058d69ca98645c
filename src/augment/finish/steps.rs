use crate::simd;

/// What an op does to an image of floats where every value becomes one of that value alone, or rows are mirrored. Such steps are cheap, and
/// reading and writing the whole image for each is not: they wait in a [`Finish`](super::Finish) until somebody looks at the image.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Step {
    /// Left and right exchanged.
    Mirror,
    /// Divided, added to and limited.
    Line(Line),
    /// Times the first number, and limited to 0 to the second; NaN is 0.
    Scale(f32, f32),
    /// The mean of its channel subtracted, divided by the deviation of its channel; of images of one channel the first of each.
    Normalize([f32; 3], [f32; 3]),
}

impl Step {
    /// Divided by a number.
    pub fn divide(divisor: f32) -> Self {
        Step::Line(Line { divisor: Some(divisor), ..Line::default() })
    }

    /// A number added.
    pub fn add(added: f32) -> Self {
        Step::Line(Line { added: Some(added), ..Line::default() })
    }

    /// Limited from the first number to the second.
    pub fn clip(low: f32, high: f32) -> Self {
        Step::Line(Line { limits: Some((low, high)), ..Line::default() })
    }

    /// This step and then `next` as one that has the bits of both, if there is one.
    pub(super) fn then(self, next: Step) -> Option<Step> {
        match (self, next) {
            (Step::Line(line), Step::Line(next)) => line.then(next).map(Step::Line),
            _ => None,
        }
    }
}

/// What is done to a value in this order, each with a rounding of its own: usual pipelines do so much that it is one look at the value
/// instead of three.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Line {
    divisor: Option<f32>,
    added: Option<f32>,
    limits: Option<(f32, f32)>,
}

impl Line {
    /// Both, if the first thing that `next` does comes after the last that this does.
    fn then(self, next: Line) -> Option<Line> {
        let done = [self.divisor.is_some(), self.added.is_some(), self.limits.is_some()];
        let wanted = [next.divisor.is_some(), next.added.is_some(), next.limits.is_some()];
        let first = wanted.iter().position(|is| *is).unwrap_or(wanted.len());
        (!done[first..].contains(&true)).then(|| Line {
            divisor: self.divisor.or(next.divisor),
            added: self.added.or(next.added),
            limits: self.limits.or(next.limits),
        })
    }

    #[inline(always)]
    fn apply(self, values: &mut [f32]) {
        // These change no value, not even the sign of a zero.
        let (added, (low, high)) =
            (self.added.unwrap_or(-0.0), self.limits.unwrap_or((f32::NEG_INFINITY, f32::INFINITY)));
        match self.divisor {
            Some(divisor) => {
                for x in values.iter_mut() {
                    *x = (*x / divisor + added).clamp(low, high);
                }
            }
            None => {
                for x in values.iter_mut() {
                    *x = (*x + added).clamp(low, high);
                }
            }
        }
    }
}

/// Steps of all values of whole rows, where they are.
pub(super) struct InPlace<'a> {
    pub(super) steps: &'a [Step],
    pub(super) channels: usize,
    pub(super) values: &'a mut [f32],
}

impl simd::Kernel for InPlace<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        all_steps(self.steps, self.channels, self.values);
    }
}

/// Values that are whole pixels and whole vectors.
const BLOCK: usize = 48;

/// Does the steps to values that begin with the first channel.
#[inline(always)]
fn all_steps(steps: &[Step], channels: usize, values: &mut [f32]) {
    for step in steps {
        match *step {
            Step::Mirror => {}
            Step::Line(line) => line.apply(values),
            Step::Scale(factor, most) => {
                for x in values.iter_mut() {
                    let scaled = *x * factor;
                    let scaled = if scaled > 0.0 { scaled } else { 0.0 };
                    *x = if scaled < most { scaled } else { most };
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
    use crate::simd::{Kernel as _, Level};

    /// What becomes of a value of a channel.
    type Definition = fn(f32, usize) -> f32;

    fn steps() -> Vec<(Vec<Step>, Definition)> {
        let [divide, add, clip] = [Step::divide(0.3), Step::add(-0.07), Step::clip(0.1, 0.9)];
        vec![
            (vec![Step::divide(255.0)], |x, _| x / 255.0),
            (vec![divide], |x, _| x / 0.3),
            (vec![add], |x, _| x - 0.07),
            (vec![clip], |x, _| x.clamp(0.1, 0.9)),
            (vec![divide, add], |x, _| x / 0.3 - 0.07),
            (vec![divide, clip], |x, _| (x / 0.3).clamp(0.1, 0.9)),
            (vec![add, clip], |x, _| (x - 0.07).clamp(0.1, 0.9)),
            (vec![divide, add, clip], |x, _| (x / 0.3 - 0.07).clamp(0.1, 0.9)),
            (vec![Step::Scale(1.7, 1.0)], |x, _| if x * 1.7 >= 1.0 { 1.0 } else { (x * 1.7).max(0.0) }),
            (vec![Step::Normalize([0.1, 0.2, 0.3], [0.4, 0.5, 0.7])], |x, c| {
                (x - [0.1, 0.2, 0.3][c]) / [0.4, 0.5, 0.7][c]
            }),
        ]
    }

    /// Everyday values and odd ones.
    fn values() -> Vec<f32> {
        let odd = [0.0, -0.0, f32::NAN, f32::INFINITY, f32::MIN_POSITIVE, 1e-41, -3e38, 255.0, 1.0];
        (0..1000).map(|x| x as f32 * 0.37 - 20.0).chain(odd).chain((0..201).map(|x| x as f32)).collect()
    }

    #[test]
    fn every_level_does_each_step_to_the_bits_of_its_definition() {
        for channels in [1, 3] {
            for (steps, defined) in steps() {
                let one =
                    steps[1..].iter().try_fold(steps[0], |one, next| one.then(*next)).expect("lines in order are one");
                let expected: Vec<f32> =
                    values().into_iter().enumerate().map(|(at, x)| defined(x, at % channels)).collect();
                for level in Level::available() {
                    let mut row = values();
                    InPlace { steps: &[one], channels, values: &mut row }.run_at(level);
                    for (found, expected) in row.iter().zip(&expected) {
                        let same = found.to_bits() == expected.to_bits() || found.is_nan() && expected.is_nan();
                        assert!(
                            same || (*found == 0.0 && *expected == 0.0 && matches!(one, Step::Scale(..))),
                            "{steps:?}, {level:?}: {found} is not {expected}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn only_what_comes_later_in_a_line_becomes_a_part_of_it() {
        let [divide, add, clip] = [Step::divide(255.0), Step::add(0.0), Step::clip(0.0, 1.0)];
        for (step, next) in [(divide, divide), (add, divide), (add, add), (clip, divide), (clip, add), (clip, clip)] {
            assert_eq!(step.then(next), None, "{step:?} and {next:?}");
        }
        let line = divide.then(clip).expect("in order");
        assert_eq!(
            (line.then(add), add.then(Step::Scale(1.0, 1.0)), Step::Scale(1.0, 1.0).then(add)),
            (None, None, None)
        );
        // Zero is not nothing: it makes a positive zero of a negative one.
        let mut zero = [-0.0];
        InPlace { steps: &[add], channels: 1, values: &mut zero }.run();
        assert_eq!(zero[0].to_bits(), 0);
    }
}
