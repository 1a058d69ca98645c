use serde::{Deserialize, Serialize};

use crate::augment::op::Scratch;
use crate::seed::{Field, Rng};
use crate::simd::Kernel;

/// Random numbers for every pixel, as an op records them: the seed that they are made of, or the numbers themselves.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub(in crate::augment) enum Noise {
    /// Of [`Field`], below 2^53.
    Seed(u64),
    /// One for each value or pixel; what is missing is 0.
    Given(Vec<f32>),
}

impl Noise {
    /// A seed.
    pub(in crate::augment) fn draw(rng: &mut Rng) -> Self {
        Noise::Seed(rng.bits() >> 11)
    }

    /// `length` numbers uniform in [0, 1).
    pub(in crate::augment) fn units(&self, length: usize, scratch: &mut Scratch) -> Vec<f32> {
        self.fill(length, scratch, |field, out| Units { field, out }.dispatch())
    }

    /// `length` standard normal numbers.
    pub(in crate::augment) fn normals(&self, length: usize, scratch: &mut Scratch) -> Vec<f32> {
        self.fill(length, scratch, |field, out| Normals { field, out }.dispatch())
    }

    fn fill(&self, length: usize, scratch: &mut Scratch, make: impl FnOnce(Field, &mut [f32])) -> Vec<f32> {
        let mut numbers = scratch.floats(length);
        match self {
            Noise::Seed(seed) => make(Field::new(*seed), &mut numbers),
            Noise::Given(given) => {
                let given = given.iter().copied().chain(std::iter::repeat(0.0));
                numbers.iter_mut().zip(given).for_each(|(to, x)| *to = x);
            }
        }
        numbers
    }
}

struct Units<'a> {
    field: Field,
    out: &'a mut [f32],
}

impl Kernel for Units<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        self.out.iter_mut().zip(0..).for_each(|(to, index)| *to = self.field.unit(index));
    }
}

pub(super) struct Normals<'a> {
    pub(super) field: Field,
    pub(super) out: &'a mut [f32],
}

impl Kernel for Normals<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let (blocks, rest) = self.out.as_chunks_mut::<32>();
        let count = blocks.len() as u32;
        for (block, index) in blocks.iter_mut().zip(0..) {
            *block = self.field.normals(index);
        }
        if !rest.is_empty() {
            rest.copy_from_slice(&self.field.normals(count)[..rest.len()]);
        }
    }
}
