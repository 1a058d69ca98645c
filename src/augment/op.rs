use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use serde::de::DeserializeOwned;
use serde::{Deserialize as _, Serialize};

use super::finish::{Finish, Step};
use super::geometry::{Resizing, Tables};
use crate::image::{Excerpt, Form, Image, Pixels, Size, Window};
use crate::sample::{Geometry, Sample};
use crate::seed::Rng;

/// One transform. It draws its parameters first, then applies them, so that they can be recorded and replayed.
///
/// An implementation lives in a file of its own with its `from_message`, which checks the parameters against the form of
/// the images that come in, and is registered by one line in `registry.rs`. Its documentation names the function of
/// TensorFlow, albumentations, torchvision or Pillow that it equals, and within what tolerance.
pub trait Op: Send + Sync + 'static {
    /// Whether [`Op::draw`] does not look at the sample, and [`Op::step`] says what is done to floats: then the image may be yet to be resized.
    const WAITS: bool = false;

    /// Whether [`Op::apply`] and [`Op::apply_to_cut`] return what `Resampling` made as it is: then that may be done later.
    const RESIZES_LAST: bool = false;

    /// What is drawn for one sample. `()` if nothing is.
    type Params: Serialize + DeserializeOwned;

    /// The name of its field in the contract's `Op`, and of its file.
    const NAME: &'static str;

    /// All of the randomness. It may look at the sample, but for its pixels, of which some may be left undone: most ops need its size alone.
    fn draw(&self, rng: &mut Rng, sample: &Sample<'_>) -> Self::Params;

    /// What [`Op::draw`] draws for an image of `size`, of ops whose [`Op::apply`] makes its result of one window and looks at nothing else:
    /// then no more than that is decoded, and [`Op::apply_to_cut`] does the rest. None for all other ops.
    fn cut(&self, _rng: &mut Rng, _size: Size) -> Option<Cut> {
        None
    }

    /// What [`Op::apply`] does to an image of which [`Excerpt::pixels`] are all that is there, the window that of [`Op::cut`]: nothing, for
    /// ops that only cut. `rng` is as it was before that.
    fn apply_to_cut<'a>(&self, image: Image<'a>, _: Excerpt, _rng: &mut Rng, _scratch: &mut Scratch) -> Image<'a> {
        image
    }

    /// What [`Op::apply`] does to images of floats, if every value becomes one of that value alone: done later, with all such steps in a row
    /// at once. None for other ops.
    fn step(&self, _params: &Self::Params) -> Option<Step> {
        None
    }

    /// None of it. Equal images and parameters give equal bytes on every machine.
    fn apply<'a>(&self, params: &Self::Params, image: Image<'a>, scratch: &mut Scratch) -> Image<'a>;

    /// How boxes, mask and keypoints move with an image of `size`; none for ops that move nothing.
    fn geometry(&self, _params: &Self::Params, _size: Size) -> Option<Geometry> {
        None
    }

    /// Changes the annotations; called before [`Op::apply`], while the image is what it was. Ops that only move things say how
    /// in [`Op::geometry`] and leave this as it is.
    fn annotate(&self, params: &Self::Params, sample: &mut Sample<'_>) {
        if let Some(geometry) = self.geometry(params, sample.image.size()) {
            geometry.move_annotations(sample);
        }
    }
}

/// Of what part of an image an op makes its result.
#[derive(Clone, Copy, Debug)]
pub struct Cut {
    /// The part.
    pub window: Window,
    /// The size that the window gets, of ops that resize it.
    pub to: Option<Size>,
}

impl Cut {
    /// The window, as it is.
    pub fn only(window: Window) -> Cut {
        Cut { window, to: None }
    }

    /// The window, resized.
    pub fn resized(window: Window, to: Size) -> Cut {
        Cut { window, to: Some(to) }
    }

    /// How far the image may be reduced, so that the window has as many pixels as its result still, across and down.
    pub fn reduction(&self) -> u32 {
        let Some(to) = self.to else { return 1 };
        let from = self.window.size;
        let leaves_enough = |by: &u32| from.width / by >= to.width && from.height / by >= to.height;
        [8, 4, 2].into_iter().find(leaves_enough).unwrap_or(1)
    }
}

/// What there is to know of an op beside its message: a constant of its file, registered with it.
pub(super) struct About {
    /// Raised whenever a byte of its output changes; part of every spec's fingerprint.
    pub(super) version: u32,
    /// What it does and which function of TensorFlow, albumentations, torchvision or Pillow it equals, within what tolerance.
    /// Markdown; its page and `feedline ops` show it.
    pub(super) equals: &'static str,
    /// What it changes.
    pub(super) targets: Targets,
    /// The op as a pipeline of TOML spells it, with parameters that a picture of 224 x 224 shows well. Pictures, benchmarks and the
    /// tests that are the same for every op are made with it.
    pub(super) example: &'static str,
}

/// What an op changes of a sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Targets {
    /// The pixels: boxes, mask and keypoints stay right as they are.
    Image,
    /// The image and all that is marked on it, together.
    All,
}

/// An op of any parameters.
pub(super) trait AnyOp: Send + Sync {
    fn name(&self) -> &'static str;
    /// See [`Op::WAITS`].
    fn waits(&self) -> bool;
    /// See [`Op::RESIZES_LAST`].
    fn resizes_last(&self) -> bool;
    /// See [`Op::cut`].
    fn cut(&self, rng: &mut Rng, size: Size) -> Option<Cut>;
    /// See [`Op::apply_to_cut`].
    fn run_on_cut<'a>(
        &self,
        image: Image<'a>,
        cut: Excerpt,
        rng: &mut Rng,
        scratch: &mut Scratch,
        finish: &mut Finish,
    ) -> Image<'a>;
    /// Draws and applies, or leaves a step to `finish`; the parameters drawn go to `record` if there is one.
    fn run<'a>(
        &self,
        rng: &mut Rng,
        sample: Sample<'a>,
        scratch: &mut Scratch,
        finish: &mut Finish,
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

    fn waits(&self) -> bool {
        T::WAITS
    }

    fn resizes_last(&self) -> bool {
        T::RESIZES_LAST
    }

    fn cut(&self, rng: &mut Rng, size: Size) -> Option<Cut> {
        Op::cut(self, rng, size)
    }

    fn run_on_cut<'a>(
        &self,
        image: Image<'a>,
        cut: Excerpt,
        rng: &mut Rng,
        scratch: &mut Scratch,
        finish: &mut Finish,
    ) -> Image<'a> {
        let image = self.apply_to_cut(image, cut, rng, scratch);
        scratch.take_resizing(finish);
        image
    }

    fn run<'a>(
        &self,
        rng: &mut Rng,
        sample: Sample<'a>,
        scratch: &mut Scratch,
        finish: &mut Finish,
        record: Option<&mut serde_json::Value>,
    ) -> Sample<'a> {
        let params = self.draw(rng, &sample);
        if let Some(record) = record {
            *record = serde_json::to_value(&params).unwrap_or_default();
        }
        apply(self, &params, sample, scratch, finish)
    }

    fn replay<'a>(
        &self,
        params: &serde_json::Value,
        sample: Sample<'a>,
        scratch: &mut Scratch,
    ) -> Result<Sample<'a>, serde_json::Error> {
        let mut finish = Finish::default();
        let mut sample = apply(self, &T::Params::deserialize(params)?, sample, scratch, &mut finish);
        finish.apply(&mut sample.image, scratch);
        Ok(sample)
    }
}

fn apply<'a, T: Op>(
    op: &T,
    params: &T::Params,
    mut sample: Sample<'a>,
    scratch: &mut Scratch,
    finish: &mut Finish,
) -> Sample<'a> {
    let size = sample.image.size();
    let mirrored = sample.has_sides() && op.geometry(params, size).is_some_and(|geometry| geometry.mirrors(size));
    op.annotate(params, &mut sample);
    let step = if finish.makes_floats(&sample.image) { op.step(params) } else { None };
    if !step.is_some_and(|step| finish.leave(step)) {
        finish.apply(&mut sample.image, scratch);
        sample.image = op.apply(params, sample.image, scratch);
        scratch.take_resizing(finish);
    }
    sample.settle(mirrored);
    sample
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

/// That an op could not be applied to an image, though it was built for images of its form: a model that is run fails on it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("op {op} failed: {cause}")]
pub struct Failed {
    /// Name of the op.
    pub op: &'static str,
    /// What was wrong.
    pub cause: String,
}

impl Failed {
    /// Ends what runs the pipeline, as a panic does, but nothing is printed. Nearly no op can fail, so that results would be in the
    /// way of all the others.
    #[cfg_attr(not(feature = "onnx"), allow(dead_code))]
    pub(super) fn unwind(self) -> ! {
        resume_unwind(Box::new(self))
    }

    /// Runs pipelines; a panic that is none of these goes on.
    ///
    /// # Errors
    /// If an op can't be applied. Scratch that it was lent is of no use any more.
    pub fn caught<T>(run: impl FnOnce() -> T) -> Result<T, Failed> {
        catch_unwind(AssertUnwindSafe(run)).map_err(|panic| match panic.downcast::<Failed>() {
            Ok(failed) => *failed,
            Err(panic) => resume_unwind(panic),
        })
    }
}

/// What one worker keeps between samples, so that ops allocate nothing.
#[derive(Default)]
pub struct Scratch {
    /// Weights of the last resizing.
    pub(super) tables: Tables,
    /// Whether resizing to floats may be left undone.
    pub(super) resizing_may_wait: bool,
    /// What was left undone.
    pub(super) resizing: Option<Resizing>,
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
            Pixels::U8(_) => {}
            Pixels::F32(buffer) => self.recycle_floats(buffer),
        }
    }

    /// Keeps what [`Scratch::floats`] lent.
    pub(super) fn recycle_floats(&mut self, buffer: Vec<f32>) {
        if self.floats.len() < MOST_KEPT {
            self.floats.push(buffer);
        }
    }

    /// Leaves to `finish` what an op left undone.
    fn take_resizing(&mut self, finish: &mut Finish) {
        if let Some(resizing) = self.resizing.take() {
            finish.leave_resizing(resizing);
        }
    }
}

/// Buffers of each kind that a worker keeps.
const MOST_KEPT: usize = 4;
