use std::sync::Arc;

use feedline_proto::tensor::{TensorError, lay_out};
use feedline_proto::{rule, v1};

use super::error::RequestError;
use super::recipe::Recipe;
use super::targets::{self, Counts};
use super::views::ViewGroup;
use crate::batch::Writer;
use crate::image::Size;
use crate::plan::{Cursor, Shard};
use crate::sample::BoxFormat;
use crate::tensor::{Dtype, Layout, Tensor};

/// A whole request, resolved: what is in a batch, which rows of it a client gets, and in what form.
#[derive(Debug)]
pub struct Request {
    /// What is in a batch.
    pub recipe: Arc<Recipe>,
    /// Which rows.
    pub shard: Shard,
    /// In what form.
    pub form: Arc<Form>,
    /// The first batch.
    pub start: Cursor,
    /// How many batches; none: for ever.
    pub count: Option<u64>,
    /// Steps from one batch to the next.
    pub stride: u32,
    /// Largest number of payload bytes in a message.
    pub part_bytes: u32,
    /// Bytes of batches made ahead.
    pub prefetch_bytes: u64,
    /// Whether the first batch comes again and again, `count` times.
    pub repeat: bool,
    /// Substituted rows that the stream may see.
    pub bad_sample_budget: u64,
    /// Number of ranks.
    pub world_size: u32,
    /// Whether batches that are begun for it are made in memory that another process can read, if there is some.
    pub shared_memory: bool,
}

/// In what form a batch is made. Equal forms of equal rows share one making.
pub struct Form {
    /// Type of the image tensor.
    pub dtype: Dtype,
    /// Order of its axes.
    pub layout: Layout,
    /// Whether damaged samples are replaced.
    pub substitute: bool,
    /// How the numbers of boxes are meant.
    pub box_format: BoxFormat,
    /// One for each group of views.
    pub(super) writers: Vec<Writer>,
}

impl std::fmt::Debug for Form {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Form { dtype, layout, substitute, .. } = self;
        write!(f, "Form({dtype:?}, {layout:?}, substitute {substitute})")
    }
}

impl Form {
    /// The form that a checked `delivery` (defaults filled in) asks for.
    ///
    /// # Errors
    /// If the images of `recipe` can't be delivered so.
    pub(super) fn new(recipe: &Recipe, delivery: &v1::Delivery) -> Result<Form, RequestError> {
        let (dtype, layout) = (delivery.dtype(), delivery.layout());
        if dtype == Dtype::Int64 {
            return Err(RequestError::invalid(
                "delivery.dtype is INT64, expected UINT8, FP16, BF16 or FP32 for images",
            ));
        }
        if dtype == Dtype::Uint8 && !recipe.is_u8() {
            return Err(RequestError::invalid(
                "delivery.dtype is UINT8, but the pipeline works on floats before its last to_float and normalize; ask for \
                 FP32, FP16 or BF16, or move to_float to the end",
            ));
        }
        let tail = (dtype != Dtype::Uint8).then(|| recipe.tail()).flatten();
        let groups = recipe.groups.iter();
        let writers = groups.map(|group| Writer::new(tail, group.output.channels, dtype, layout)).collect();
        let substitute = delivery.bad_samples() == v1::BadSamples::Substitute;
        let box_format = targets::box_format(delivery.box_format());
        Ok(Form { dtype, layout, substitute, box_format, writers })
    }

    /// The tensors of `rows` rows with so many boxes and keypoints in each group, laid out, and the length of the payload in bytes; the
    /// images of the first group are of `size`.
    pub(super) fn tensors(
        &self,
        recipe: &Recipe,
        rows: u32,
        size: Size,
        counts: &[Counts],
    ) -> Result<(Vec<Tensor>, u64), TensorError> {
        let n = u64::from(rows);
        let tensor = |name: &str, dtype: Dtype, shape| Tensor {
            name: name.into(),
            dtype: dtype.into(),
            shape,
            ..Default::default()
        };
        let sized = || {
            let sizes = recipe.groups.iter().enumerate();
            sizes.map(|(index, group)| (group, if index == 0 { size } else { group.output.largest }))
        };
        let image = |(group, Size { width, height }): (&ViewGroup, Size)| {
            let (h, w, channels) = (u64::from(height), u64::from(width), group.output.channels as u64);
            let n = n * u64::from(group.views);
            let shape = if self.layout == Layout::Nhwc { vec![n, h, w, channels] } else { vec![n, channels, h, w] };
            Tensor { views: group.announced(), ..tensor(&group.tensor, self.dtype, shape) }
        };
        let mut tensors: Vec<Tensor> = sized().map(image).collect();
        let label = if recipe.has_soft_labels() {
            tensor("label", Dtype::Fp32, vec![n, recipe.dataset.classes.len() as u64])
        } else {
            tensor("label", Dtype::Int64, vec![n])
        };
        tensors.push(label);
        if rows > MOST_SAMPLES_IN_HEADER {
            tensors.push(tensor("sample", Dtype::Int64, vec![n]));
        }
        let counted = sized().zip(counts).map(|((group, size), counts)| (group, size, *counts));
        tensors.extend(recipe.targets.tensors(rows, counted));
        let payload = lay_out(&mut tensors)?;
        Ok((tensors, payload))
    }
}

/// Rows whose sample indices travel in the header; those of larger batches are a tensor.
pub(super) const MOST_SAMPLES_IN_HEADER: u32 = 2048;

/// Payload bytes of the largest part. A part is copied on its way out, beyond the budget of batches, so that larger ones would
/// cost every stream memory that nobody announced; they are no faster.
const MOST_PART_BYTES: u32 = 1 << 20;

impl Request {
    /// Builds a request from a resolved recipe and from `placement` and `delivery` (defaults filled in, rules checked).
    ///
    /// # Errors
    /// [`RequestError`], naming the field.
    pub(super) fn new(
        recipe: Arc<Recipe>,
        placement: &v1::Placement,
        delivery: &v1::Delivery,
    ) -> Result<Self, RequestError> {
        let world_size = placement.world_size.unwrap_or(1);
        let shard = Shard::new(placement.rank, world_size, recipe.plan.global_batch(), placement.allow_uneven)?;
        let form = Arc::new(Form::new(&recipe, delivery)?);
        let start = start(&recipe, delivery.start.as_ref())?;
        let request = Request {
            shard,
            form,
            start,
            count: delivery.count,
            stride: delivery.stride.unwrap_or(1),
            repeat: delivery.repeat,
            part_bytes: delivery.part_bytes.map_or(MOST_PART_BYTES, |bytes| bytes.min(MOST_PART_BYTES)),
            prefetch_bytes: delivery.prefetch_bytes.unwrap_or(256 << 20),
            bad_sample_budget: delivery.bad_sample_budget.unwrap_or(100),
            world_size,
            shared_memory: false,
            recipe,
        };
        request.payload().map_err(|error| RequestError::invalid(error.to_string()))?;
        Ok(request)
    }

    /// Tensors of a full batch of this rank, and the length of its payload. Images of different sizes count with the largest, rows
    /// with the most boxes and keypoints that one can have.
    fn payload(&self) -> Result<(Vec<Tensor>, u64), TensorError> {
        let most = self.recipe.targets.most(self.rows(), &self.recipe.groups);
        self.form.tensors(&self.recipe, self.rows(), self.recipe.largest(), &most)
    }

    /// Rows of a full batch of this rank.
    pub fn rows(&self) -> u32 {
        let rows = self.shard.rows(self.recipe.plan.global_batch());
        rows.end - rows.start
    }

    /// Bytes of the payload of a full batch of this rank.
    pub fn payload_bytes(&self) -> u64 {
        self.payload().map_or(u64::MAX, |(_, bytes)| bytes)
    }

    /// Most bytes that one batch takes while it is made: its payload, the masks that wait until it is put together, the images that
    /// wait to be mixed, and what the ops keep of the dataset and the list of samples, which all batches of a stream share.
    pub fn batch_bytes(&self) -> u64 {
        let masks = self.recipe.targets.mask_bytes(&self.recipe.groups);
        let mut staged = u64::from(self.rows()).saturating_mul(masks);
        if let Some(mixing) = &self.recipe.mixing {
            // Partners of rows at both cuts of the rank may lie outside of it.
            let partners = if self.world_size > 1 { 2 * u64::from(mixing.group) } else { 0 };
            let images: u64 = self.recipe.groups.iter().map(|g| self.recipe.image_bytes(g) * u64::from(g.views)).sum();
            let rows = u64::from(self.rows()) + partners;
            staged = staged.saturating_add(rows.saturating_mul(images.saturating_add(masks)));
        }
        self.payload_bytes().saturating_add(staged).saturating_add(self.recipe.kept_bytes)
    }

    /// What `Describe` answers.
    pub fn describe(&self) -> v1::DescribeResponse {
        let recipe = &*self.recipe;
        let (tensors, payload_bytes) = self.payload().unwrap_or_default();
        let tail = (self.form.dtype == Dtype::Uint8).then(|| recipe.tail()).flatten();
        let varying = recipe.size().is_none();
        let largest_image_shape = tensors.iter().filter(|_| varying).map(|tensor| tensor.shape[1..].to_vec()).next();
        v1::DescribeResponse {
            spec: Some(recipe.spec.clone()),
            spec_fingerprint: recipe.fingerprint.clone(),
            payload_bytes,
            steps_per_epoch: recipe.plan.steps_per_epoch(),
            samples: recipe.plan.length(),
            rows: self.rows(),
            warnings: self.warnings(),
            normalization: tail.map(|tail| tail.normalization.clone()),
            bit_exact: recipe.is_bit_exact(),
            largest_image_shape: largest_image_shape.unwrap_or_default(),
            classes: recipe.dataset.classes.clone(),
            box_classes: recipe.dataset.box_classes.clone(),
            keypoint_names: recipe.dataset.keypoint_names.clone(),
            contract_revision: feedline_proto::CONTRACT_REVISION,
            tensors,
        }
    }

    fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        let Some(mixing) = &self.recipe.mixing else { return warnings };
        let rows = self.shard.rows(self.recipe.plan.global_batch());
        let cuts = |row: u32| !row.is_multiple_of(mixing.group) && row != self.recipe.plan.global_batch();
        if cuts(rows.start) || cuts(rows.end) {
            warnings.push(format!(
                "this rank's rows {}..{} cut a mixing group of {}: partners of other ranks are made here too, which costs time",
                rows.start, rows.end, mixing.group
            ));
        }
        if mixing.blends() && self.form.dtype == Dtype::Uint8 {
            warnings
                .push("mixup of UINT8 rounds to the nearest whole number; FP32 and FP16 are blended unrounded".into());
        }
        warnings
    }
}

/// The first cursor, checked against the recipe's fingerprints and steps.
fn start(recipe: &Recipe, cursor: Option<&v1::Cursor>) -> Result<Cursor, RequestError> {
    let Some(cursor) = cursor else { return Ok(Cursor::default()) };
    let dataset = (&cursor.dataset_fingerprint, &recipe.dataset.fingerprint);
    if !dataset.0.is_empty() && dataset.0 != dataset.1 {
        return Err(RequestError::Mismatch {
            what: "the cursor's dataset_fingerprint",
            found: dataset.0.clone(),
            expected: dataset.1.clone(),
            hint: format!("the cursor is of another dataset than {:?} is now", recipe.dataset.name),
        });
    }
    if !cursor.spec_fingerprint.is_empty() && cursor.spec_fingerprint != recipe.fingerprint {
        return Err(RequestError::Mismatch {
            what: "the cursor's spec_fingerprint",
            found: cursor.spec_fingerprint.clone(),
            expected: recipe.fingerprint.clone(),
            hint: "the cursor is of another loader spec (samples, pipeline, sizes, seed, order, mixing) or of another version of \
                   its ops"
                .into(),
        });
    }
    let steps = recipe.plan.steps_per_epoch();
    let start = Cursor { epoch: cursor.epoch, step: cursor.step };
    if cursor.step > steps {
        return Err(RequestError::invalid(format!("delivery.start.step is {}, expected 0 to {steps}", cursor.step)));
    }
    start
        .advanced(0, steps)
        .ok_or_else(|| RequestError::invalid(format!("delivery.start is {start}, beyond the last epoch")))
}

/// Checks the rules of all three messages and fills their defaults in. The pipeline is counted first, so that a list of a
/// million ops is refused before anything looks at each.
///
/// # Errors
/// [`RequestError::Invalid`] with up to eight mistakes of each message.
pub(super) fn checked(
    spec: &v1::LoaderSpec,
    placement: &v1::Placement,
    delivery: &v1::Delivery,
) -> Result<(v1::LoaderSpec, v1::Placement, v1::Delivery), RequestError> {
    if let Some(pipeline) = &spec.pipeline {
        crate::augment::check_size(&pipeline.ops)?;
    }
    rule::check(spec).map_err(|found| RequestError::violations("spec", found))?;
    rule::check(placement).map_err(|found| RequestError::violations("placement", found))?;
    rule::check(delivery).map_err(|found| RequestError::violations("delivery", found))?;
    Ok((rule::with_defaults(spec), rule::with_defaults(placement), rule::with_defaults(delivery)))
}
