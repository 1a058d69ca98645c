use crate::simd;

/// What an op does to an image of floats where every value becomes one of that value alone, or rows are mirrored. Such steps are cheap, and
/// reading and writing the whole image for each is not: they wait in a [`Finish`](super::Finish) until somebody looks at the image.
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
    use crate::simd::{Kernel as _, Level};

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
}
