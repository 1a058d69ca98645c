use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use feedline_proto::{rule, v1};

use super::error::RequestError;
use super::resources::Supplies;
use super::targets::Targets;
use super::views::{self, ViewGroup, Views};
use crate::augment::{self, Pipeline, Tail};
use crate::batch::{self, DrawPer, How, Kind, MixKind, Mixing, Objects};
use crate::decode;
use crate::header::{self, Format};
use crate::image::{Depth, Excerpt, Form, Size};
use crate::plan::{self, LastBatch, Members, Order, Plan, SplitSlice};
use crate::seed::Key;
use crate::store::{Dataset, Split};

/// All that decides what is in a batch: a loader spec, resolved against its dataset. `batch = f(recipe, epoch, step)`.
pub struct Recipe {
    /// The dataset.
    pub dataset: Arc<Dataset>,
    /// Which of its splits.
    pub split: usize,
    /// Which samples of it.
    pub members: Members,
    /// Which sample at which row of which step.
    pub plan: Plan,
    /// What happens to every image, before its views are made if there are several.
    pub pipeline: Pipeline,
    /// The views of every sample, a tensor for each group; without views one group of one.
    pub groups: Vec<ViewGroup>,
    /// How rows are mixed with one another.
    pub mixing: Option<Mixing>,
    /// Which annotations travel, and what becomes of those that leave the image.
    pub targets: Targets,
    /// Whether images are turned as their EXIF orientation says.
    pub exif_orientation: bool,
    /// Whether JPEG files are decoded at a fraction of their size where the pipeline shrinks them anyway.
    pub scaled: bool,
    /// Bytes that its ops keep of what they take from the dataset, and of its list of samples.
    pub(super) kept_bytes: u64,
    /// Nanoseconds that a row has taken of late; 0 before the first. Decides how work is shared out, and nothing of what is made.
    row_ns: AtomicU64,
    /// Seed of everything that is drawn.
    pub seed: u64,
    /// The spec as understood: names replaced, defaults filled in.
    pub spec: v1::LoaderSpec,
    /// 32 hex digits of the resolved spec and the versions of what it uses.
    pub fingerprint: String,
}

/// What a task should take.
const TASK_NS: u64 = 100_000;

impl Recipe {
    /// Resolves `spec` (checked, with defaults filled in, its pipeline's name replaced by ops) against `dataset`. If it has a subset,
    /// that has the digest of `indices`.
    ///
    /// # Errors
    /// [`RequestError`], naming the field.
    pub(super) fn new(
        spec: &v1::LoaderSpec,
        indices: Option<Vec<u32>>,
        dataset: &Arc<Dataset>,
        supplies: &Supplies,
    ) -> Result<Recipe, RequestError> {
        let slice = SplitSlice::parse(&spec.split)?;
        let split = dataset.splits.iter().position(|split| split.name() == slice.split);
        let split = split.ok_or_else(|| RequestError::NotFound {
            what: "split",
            name: slice.split.clone(),
            known: dataset.splits.iter().map(Split::name).collect::<Vec<_>>().join(", "),
        })?;
        let samples = &dataset.splits[split];
        let listed = indices.as_ref().map_or(0, |indices| size_of_val(&indices[..]) as u64);
        let members = match indices {
            None => slice.members(samples.len(), |sample| samples.label(sample))?,
            Some(_) if !slice.is_whole() => {
                return Err(RequestError::invalid(format!(
                    "spec.split is {slice} beside a subset, expected {}: indices are of the whole split",
                    slice.split
                )));
            }
            Some(indices) => plan::chosen(indices, samples.len())?,
        };
        let order = match spec.order() {
            v1::Order::Sequential => Order::Sequential,
            v1::Order::Unspecified | v1::Order::Shuffled => Order::Shuffled,
            v1::Order::BlockShuffled => {
                return Err(RequestError::invalid("spec.order is block_shuffled, expected shuffled or sequential"));
            }
        };
        let last = match (spec.last_batch(), order) {
            (v1::LastBatch::Drop, _) | (v1::LastBatch::Unspecified, Order::Shuffled) => LastBatch::Drop,
            (v1::LastBatch::Short, _) | (v1::LastBatch::Unspecified, Order::Sequential) => LastBatch::Short,
            (v1::LastBatch::Wrap, _) => LastBatch::Wrap,
        };
        let plan = Plan::new(members.len(), spec.global_batch_size, order, last, spec.seed)?;
        let decode = spec.decode.unwrap_or_default();
        let exif_orientation = decode.exif_orientation;
        let form = form(samples, exif_orientation)?;
        let resources = supplies.of(samples, exif_orientation);
        let mut spec = spec.clone();
        if let Some(pipeline) = &mut spec.pipeline {
            augment::pin_models(&mut pipeline.ops, "pipeline.ops", &resources)?;
        }
        for (index, group) in spec.views.iter_mut().flat_map(|views| &mut views.groups).enumerate() {
            augment::pin_models(&mut group.ops, &format!("views.groups[{index}].ops"), &resources)?;
        }
        let spec = &spec;
        let pipeline = spec.pipeline.clone().unwrap_or_default();
        let (pipeline, groups) = match &spec.views {
            Some(views) => {
                let Views { common, groups } = Views::new(views, &pipeline, form, &resources)?;
                (common, groups)
            }
            None => {
                let pipeline = Pipeline::build_with(&pipeline, form, &resources)?;
                let group = ViewGroup::plain(pipeline.output());
                (pipeline, vec![group])
            }
        };
        if spec.views.is_none() && pipeline.output().fixed().is_none() && spec.global_batch_size != 1 {
            let Form { smallest, largest, .. } = pipeline.output();
            return Err(RequestError::invalid(format!(
                "spec.pipeline leaves images of different sizes, {smallest} to {largest}, which make no batch of \
                 {} rows; end it in a resize or a crop to one size, or use a global_batch_size of 1",
                spec.global_batch_size
            )));
        }
        let mixing = spec.mixing.as_ref().map(mixing).transpose()?;
        let targets = Targets::new(spec, dataset, samples, mixing.as_ref())?;
        if mixing.is_some() && dataset.classes.is_empty() && !targets.any() {
            return Err(RequestError::invalid("spec.mixing is set, expected none: the dataset has no classes to mix"));
        }
        if mixing.is_some() && groups.len() > 1 {
            return Err(RequestError::invalid(
                "spec.mixing is set beside several groups of views, expected one group: a box or a ratio is drawn for one size",
            ));
        }
        if decode.scaled {
            check_scaled(&pipeline, &targets)?;
        }
        let mut recipe = Recipe {
            dataset: Arc::clone(dataset),
            split,
            members,
            plan,
            pipeline,
            groups,
            mixing,
            targets,
            exif_orientation,
            scaled: decode.scaled,
            kept_bytes: resources.kept() + listed,
            row_ns: AtomicU64::new(0),
            seed: spec.seed,
            spec: resolved(spec, dataset, &slice, last),
            fingerprint: String::new(),
        };
        recipe.fingerprint = recipe.digest();
        Ok(recipe)
    }

    /// The samples that its indices mean.
    pub fn samples(&self) -> &Split {
        &self.dataset.splits[self.split]
    }

    /// Whether the bytes of its batches are the same on every machine.
    pub fn is_bit_exact(&self) -> bool {
        self.pipeline.is_bit_exact() && self.groups.iter().all(ViewGroup::is_bit_exact)
    }

    /// Size of every image of the first group; none when sizes differ (batches of one row).
    pub fn size(&self) -> Option<Size> {
        self.groups[0].output.fixed()
    }

    /// Largest size that an image of the first group can have.
    pub fn largest(&self) -> Size {
        self.groups[0].output.largest
    }

    /// Whether the images are 8 bits before the pipeline's tail.
    pub fn is_u8(&self) -> bool {
        self.groups.iter().all(|group| group.output.depth == Depth::U8)
    }

    /// The last `to_float` and `normalize` of 8-bit images, left for the writing into the batch or for the client.
    pub fn tail(&self) -> Option<&Tail> {
        self.groups[0].tail().or(self.pipeline.tail())
    }

    /// All that is looked at of a sample of this size, if that is less than the whole: of one that is turned, or whose marks are moved by the
    /// size of the whole, it never is. JPEG alone is reduced.
    pub fn excerpt(&self, sample: u64, size: Size, key: Key) -> Option<Excerpt> {
        let encoded = self.samples().encoded(sample);
        if self.targets.any() || (self.exif_orientation && decode::orientation(encoded) > 1) {
            return None;
        }
        let scaled = self.scaled && header::sniff(encoded) == Some(Format::Jpeg);
        self.pipeline.excerpt(size, key, scaled)
    }

    /// Rows that a worker claims at once: as many as take a tenth of a millisecond, so that coming for them costs next to nothing and
    /// nobody waits for long. One until it is known what a row takes.
    pub(super) fn rows_per_task(&self) -> usize {
        match self.row_ns.load(Ordering::Relaxed) {
            0 => 1,
            row_ns => (TASK_NS / row_ns).max(1) as usize,
        }
    }

    /// Takes down what a task has taken.
    pub(super) fn note_cost(&self, rows: usize, nanoseconds: u64) {
        let (before, now) = (self.row_ns.load(Ordering::Relaxed), nanoseconds / rows.max(1) as u64);
        // Of two workers that write at once one is forgotten, which does no harm.
        let row_ns = if before == 0 { now } else { (7 * before + now) / 8 };
        self.row_ns.store(row_ns.max(1), Ordering::Relaxed);
    }

    /// Whether a row's label is a weight for every class: labels are mixed, and there are classes.
    pub(super) fn has_soft_labels(&self) -> bool {
        self.mixing.as_ref().is_some_and(|mixing| !mixing.pastes_objects()) && !self.dataset.classes.is_empty()
    }

    /// Bytes of one image of `group`, of its largest size, before it is written.
    pub(super) fn image_bytes(&self, group: &ViewGroup) -> u64 {
        let value = if group.output.depth == Depth::U8 { 1 } else { 4 };
        group.output.largest.area() * group.output.channels as u64 * value
    }

    /// Fields by number, defaults left out, floats by their bits; the dataset by its fingerprint, not its name; and the
    /// versions of plan, mixing and ops.
    fn digest(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&rule::canonical(&v1::LoaderSpec { dataset: String::new(), ..self.spec.clone() }));
        hasher.update(format!("plan {}\n", plan::VERSION).as_bytes());
        if self.mixing.is_some() {
            hasher.update(format!("mixing {}\n", batch::MIXING_VERSION).as_bytes());
        }
        let mut versions = self.pipeline.versions().to_vec();
        if self.spec.views.is_some() {
            versions.extend(self.groups.iter().flat_map(ViewGroup::versions));
            versions.push(("views", views::VERSION));
            versions.sort_unstable();
            versions.dedup();
        }
        for (op, version) in versions {
            hasher.update(format!("{op} {version}\n").as_bytes());
        }
        hasher.finalize().to_hex()[..32].to_owned()
    }
}

impl std::fmt::Debug for Recipe {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recipe").field("dataset", &self.dataset.name).field("fingerprint", &self.fingerprint).finish()
    }
}

/// What is known of the images of a split before one is decoded.
fn form(samples: &Split, exif_orientation: bool) -> Result<Form, RequestError> {
    let (Some(smallest), Some(largest)) = (samples.smallest(), samples.largest()) else {
        let name = samples.name();
        return Err(RequestError::invalid(format!("spec.split is {name}, which has no image that can be decoded")));
    };
    let turned = |size: Size, pick: fn(u32, u32) -> u32| {
        let side = pick(size.width, size.height);
        if exif_orientation { Size::new(side, side) } else { size }
    };
    // Turning swaps width and height of some, so that either side may be as short or long as any side is.
    let (smallest, largest) = (turned(smallest, u32::min), turned(largest, u32::max));
    Ok(Form { smallest, largest, channels: 3, depth: Depth::U8 })
}

/// Refuses scaled decoding where it would do nothing.
fn check_scaled(pipeline: &Pipeline, targets: &Targets) -> Result<(), RequestError> {
    if targets.any() {
        return Err(RequestError::invalid(
            "spec.decode.scaled is true beside targets, expected false: what is marked on an image is moved by its whole size",
        ));
    }
    if !pipeline.may_reduce() {
        return Err(RequestError::invalid(
            "spec.decode.scaled is true, expected false: the first op of spec.pipeline does not resize, so that nothing can be decoded \
             smaller (those that do: resize, random_resized_crop, random_sized_crop, smallest_max_size, longest_max_size)",
        ));
    }
    Ok(())
}

fn mixing(message: &v1::Mixing) -> Result<Mixing, RequestError> {
    use v1::mixing::Kind as Message;
    let per = |per| if per == v1::DrawPer::Batch { DrawPer::Batch } else { DrawPer::Row };
    let cutmix = |m: &v1::CutMix| {
        let kind = Kind { kind: MixKind::CutMix { alpha: m.alpha.unwrap_or(1.0) }, p: m.p.unwrap_or(1.0) };
        (kind, per(m.per()))
    };
    let mixup = |m: &v1::MixUp| {
        let kind = Kind { kind: MixKind::MixUp { alpha: m.alpha.unwrap_or(0.2) }, p: m.p.unwrap_or(1.0) };
        (kind, per(m.per()))
    };
    let (how, per) = match &message.kind {
        Some(Message::Cutmix(m)) => (How::One(cutmix(m).0), cutmix(m).1),
        Some(Message::Mixup(m)) => (How::One(mixup(m).0), mixup(m).1),
        Some(Message::CutmixOrMixup(m)) => {
            let (cutmix, cut_per) = cutmix(&m.cutmix.unwrap_or_default());
            let (mixup, mix_per) = mixup(&m.mixup.unwrap_or_default());
            if cut_per != mix_per {
                return Err(RequestError::invalid(format!(
                    "spec.mixing.cutmix_or_mixup draws cutmix per {cut_per:?} and mixup per {mix_per:?}, expected both alike"
                )));
            }
            (How::Either(m.switch_prob.unwrap_or(0.5), cutmix, mixup), cut_per)
        }
        Some(Message::Mosaic(m)) => {
            let centre_range = m.center_range.as_slice().try_into().unwrap_or([0.3, 0.7]);
            let kind = Kind { kind: MixKind::Mosaic { centre_range }, p: m.p.unwrap_or(1.0) };
            (How::One(kind), per(m.per()))
        }
        Some(Message::CopyPaste(m)) => {
            if let Some(smoothing) = message.label_smoothing.filter(|smoothing| *smoothing > 0.0) {
                return Err(RequestError::invalid(format!(
                    "spec.mixing.label_smoothing is {smoothing} beside copy_paste, expected none: labels stay classes of rows"
                )));
            }
            let objects = Objects { object_p: m.object_p.unwrap_or(0.5), most: m.max_objects.unwrap_or(10) };
            (How::One(Kind { kind: MixKind::CopyPaste(objects), p: m.p.unwrap_or(1.0) }), DrawPer::Row)
        }
        None => {
            return Err(RequestError::invalid(
                "spec.mixing is empty, expected cutmix, mixup, cutmix_or_mixup, mosaic or copy_paste, or no mixing at all",
            ));
        }
    };
    Ok(Mixing {
        how,
        per,
        group: message.group_size.unwrap_or(16).max(1),
        smoothing: message.label_smoothing.unwrap_or(0.0),
        off_from_epoch: message.off_from_epoch,
    })
}

fn resolved(spec: &v1::LoaderSpec, dataset: &Dataset, slice: &SplitSlice, last: LastBatch) -> v1::LoaderSpec {
    let last = match last {
        LastBatch::Drop => v1::LastBatch::Drop,
        LastBatch::Short => v1::LastBatch::Short,
        LastBatch::Wrap => v1::LastBatch::Wrap,
    };
    // Their order says nothing, nor does it if one is there twice.
    let targets: BTreeSet<i32> = spec.targets.iter().copied().collect();
    v1::LoaderSpec {
        dataset: dataset.name.clone(),
        dataset_fingerprint: dataset.fingerprint.clone(),
        split: slice.to_string(),
        last_batch: last.into(),
        targets: targets.into_iter().collect(),
        ..spec.clone()
    }
}
