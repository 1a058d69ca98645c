use std::fmt;

use serde::de::DeserializeOwned;
use serde::{Deserialize as _, Serialize};

use super::geometry::Tables;
use crate::image::{Form, Image, Pixels, Size};
use crate::sample::{Geometry, Sample};
use crate::seed::Rng;

/// One transform. It draws its parameters first, then applies them, so that they can be recorded and replayed.
///
/// An implementation lives in a file of its own with its `from_message`, which checks the parameters against the form of
/// the images that come in, and is registered by one line in `registry.rs`. Its documentation names the function of
/// TensorFlow, albumentations, torchvision or Pillow that it equals, and within what tolerance.
pub trait Op: Send + Sync + 'static {
    /// What is drawn for one sample. `()` if nothing is.
    type Params: Serialize + DeserializeOwned;

    /// The name of its field in the contract's `Op`.
    const NAME: &'static str;

    /// Raised whenever a byte of its output changes; part of every spec's fingerprint.
    const VERSION: u32 = 1;

    /// All of the randomness.
    fn draw(&self, rng: &mut Rng, size: Size) -> Self::Params;

    /// None of it. Equal images and parameters give equal bytes on every machine.
    fn apply<'a>(&self, params: &Self::Params, image: Image<'a>, scratch: &mut Scratch) -> Image<'a>;

    /// How boxes, mask and keypoints move with an image of `size`; none for ops that move nothing.
    fn geometry(&self, _params: &Self::Params, _size: Size) -> Option<Geometry> {
        None
    }
}

/// An op of any parameters.
pub(super) trait AnyOp: Send + Sync {
    fn name(&self) -> &'static str;
    fn version(&self) -> u32;
    /// Draws and applies; the parameters drawn go to `record` if there is one.
    fn run<'a>(
        &self,
        rng: &mut Rng,
        sample: Sample<'a>,
        scratch: &mut Scratch,
        record: Option<&mut serde_json::Value>,
    ) -> Sample<'a>;
    /// Applies parameters recorded before.
    fn replay<'a>(
        &self,
        params: &serde_json::Value,
        sample: Sample<'a>,
        scratch: &mut Scratch,
    ) -> Result<Sample<'a>, serde_json::Error>;
}

impl<T: Op> AnyOp for T {
    fn name(&self) -> &'static str {
        T::NAME
    }

    fn version(&self) -> u32 {
        T::VERSION
    }

    fn run<'a>(
        &self,
        rng: &mut Rng,
        sample: Sample<'a>,
        scratch: &mut Scratch,
        record: Option<&mut serde_json::Value>,
    ) -> Sample<'a> {
        let params = self.draw(rng, sample.image.size());
        if let Some(record) = record {
            *record = serde_json::to_value(&params).unwrap_or_default();
        }
        apply(self, &params, sample, scratch)
    }

    fn replay<'a>(
        &self,
        params: &serde_json::Value,
        sample: Sample<'a>,
        scratch: &mut Scratch,
    ) -> Result<Sample<'a>, serde_json::Error> {
        Ok(apply(self, &T::Params::deserialize(params)?, sample, scratch))
    }
}

fn apply<'a, T: Op>(op: &T, params: &T::Params, mut sample: Sample<'a>, scratch: &mut Scratch) -> Sample<'a> {
    if let Some(geometry) = op.geometry(params, sample.image.size()) {
        geometry.move_annotations(&mut sample);
    }
    Sample { image: op.apply(params, sample.image, scratch), ..sample }
}

/// An op made from its message, with the form of the images that leave it.
pub(super) struct Built {
    pub(super) op: Box<dyn AnyOp>,
    pub(super) output: Form,
    /// Probability that it is applied at all.
    pub(super) p: f64,
}

impl Built {
    /// An op that is always applied.
    pub(super) fn always(op: impl Op, output: Form) -> Result<Built, Refusal> {
        Ok(Built { op: Box::new(op), output, p: 1.0 })
    }

    /// An op that is applied with probability `p`.
    ///
    /// # Errors
    /// If applied or not would make images of different types.
    pub(super) fn maybe(op: impl Op, p: Option<f64>, input: Form, output: Form) -> Result<Built, Refusal> {
        let p = p.unwrap_or(1.0);
        let output = if p < 1.0 { either(input, output)? } else { output };
        Ok(Built { op: Box::new(op), output, p })
    }
}

/// What is known of an image that has one form or the other.
pub(super) fn either(a: Form, b: Form) -> Result<Form, Refusal> {
    if a.channels != b.channels || a.depth != b.depth {
        let shown = |form: Form| format!("{} channels of {:?}", form.channels, form.depth);
        return Err(Refusal::new("p", format!("{} or {}", shown(a), shown(b)), "one type of image in every case"));
    }
    let min = |a: Size, b: Size| Size::new(a.width.min(b.width), a.height.min(b.height));
    let max = |a: Size, b: Size| Size::new(a.width.max(b.width), a.height.max(b.height));
    Ok(Form { smallest: min(a.smallest, b.smallest), largest: max(a.largest, b.largest), ..a })
}

/// Why an op can't be built: which field, what was found, what was expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Path of the field: `pipeline.ops[3].random_crop.height`.
    pub field: String,
    /// What it is.
    pub found: String,
    /// What it must be.
    pub expected: String,
}

impl Refusal {
    /// A refusal of `field`, relative to the op.
    pub fn new(field: impl Into<String>, found: impl fmt::Display, expected: impl Into<String>) -> Self {
        Refusal { field: field.into(), found: found.to_string(), expected: expected.into() }
    }

    /// The same, seen from further out.
    pub(super) fn within(mut self, outer: &str) -> Self {
        self.field = if self.field.is_empty() { outer.to_owned() } else { format!("{outer}.{}", self.field) };
        self
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is {}, expected {}", self.field, self.found, self.expected)
    }
}

/// What one worker keeps between samples, so that ops allocate nothing.
#[derive(Default)]
pub struct Scratch {
    /// Weights of the last resizing.
    pub(super) tables: Tables,
    bytes: Vec<Vec<u8>>,
    floats: Vec<Vec<f32>>,
}

impl Scratch {
    /// `len` bytes of any content.
    pub fn bytes(&mut self, len: usize) -> Vec<u8> {
        let mut buffer = self.bytes.pop().unwrap_or_default();
        buffer.resize(len, 0);
        buffer
    }

    /// `len` floats of any content.
    pub fn floats(&mut self, len: usize) -> Vec<f32> {
        let mut buffer = self.floats.pop().unwrap_or_default();
        buffer.resize(len, 0.0);
        buffer
    }

    /// Keeps the memory of an image that is not needed any more.
    pub fn recycle(&mut self, image: Image<'_>) {
        match image.into_pixels() {
            Pixels::U8(std::borrow::Cow::Owned(buffer)) if self.bytes.len() < MOST_KEPT => self.bytes.push(buffer),
            Pixels::F32(buffer) if self.floats.len() < MOST_KEPT => self.floats.push(buffer),
            _ => {}
        }
    }
}

/// Buffers of each kind that a worker keeps.
const MOST_KEPT: usize = 4;
