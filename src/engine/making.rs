use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};
use std::time::Instant;

use feedline_proto::v1;

use super::batch::Batch;
use super::error::BatchError;
use super::memory::{Buffer, Charge};
use super::phase::Phase;
pub(super) use super::phase::{Task, Then};
use super::recipe::Recipe;
use super::request::{Form, Request};
use super::statistics::Tally;
use super::targets::Counts;
use crate::batch::{Marks, Mix, Section, Slots};
use crate::image::{Image, Size};
use crate::plan::Cursor;
use crate::sample::BoxFormat;
use crate::tensor::{Dtype, Layout, Tensor};

mod assembly;

/// What tells batches apart: sessions that ask for the same get the same making.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct BatchKey {
    pub(super) group: GroupKey,
    pub(super) cursor: Cursor,
}

/// What tells sessions apart that could share batches.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct GroupKey {
    // First what differs most often, and is compared fastest.
    shard: crate::plan::Shard,
    fingerprint: Arc<str>,
    dtype: Dtype,
    layout: Layout,
    substitute: bool,
    box_format: BoxFormat,
}

impl GroupKey {
    pub(super) fn of(request: &Request) -> GroupKey {
        let Form { dtype, layout, substitute, box_format, .. } = *request.form;
        let (fingerprint, shard) = (request.recipe.fingerprint.as_str().into(), request.shard);
        GroupKey { fingerprint, shard, dtype, layout, substitute, box_format }
    }
}

/// A batch that is being made: its rows are claimed by workers, one or several at a time, first to be decoded and augmented, and then, if they
/// are mixed, once more to be mixed.
pub(super) struct Making {
    pub(super) key: BatchKey,
    pub(super) recipe: Arc<Recipe>,
    pub(super) form: Arc<Form>,
    /// The batch's own rows, then the partners that lie outside of them.
    pub(super) rows: Vec<RowPlan>,
    /// How many rows are the batch's own.
    own: usize,
    first_row: u32,
    global_rows: u32,
    /// Bytes that it was charged with.
    pub(super) bytes: u64,
    /// Whether its payload shall lie in shared memory.
    shared: bool,
    first: Phase,
    second: Phase,
    /// Rows waiting to be mixed, and which sample is in each of the batch's own.
    staged: Vec<OnceLock<Staged>>,
    noted: Vec<OnceLock<Chosen>>,
    /// The payload, while rows are written; made by the first worker that needs it.
    slots: RwLock<Option<Slots>>,
    charge: Mutex<Option<Charge>>,
    buffer: Mutex<Option<Buffer>>,
    done: Vec<OnceLock<RowDone>>,
    error: Mutex<Option<(usize, BatchError)>>,
    cancelled: AtomicBool,
    outcome: OnceLock<Result<Arc<Batch>, BatchError>>,
    started: OnceLock<Instant>,
    /// Sessions that took the batch.
    takers: AtomicU32,
    decode_ns: AtomicU64,
    augment_ns: AtomicU64,
    collate_ns: AtomicU64,
}

/// One row to be made.
#[derive(Clone, Debug)]
pub(super) struct RowPlan {
    /// Place in the epoch's endless sequence.
    pub(super) position: u64,
    /// Index of its sample in the split.
    pub(super) sample: u64,
    /// Its mix, and where among the rows the partners are.
    pub(super) mix: Option<(Mix, Vec<usize>)>,
}

/// Which sample is in a row, and if it took another's place, whose and why.
#[derive(Clone, Debug)]
pub(super) struct Chosen {
    pub(super) sample: u64,
    /// The damaged sample's index and what is wrong with it.
    pub(super) instead_of: Option<(u64, String)>,
}

/// A row before it is mixed.
pub(super) struct Staged {
    /// Its views, which are of one group.
    pub(super) views: Vec<Image<'static>>,
    pub(super) label: i64,
    /// What is marked on each, if that travels.
    pub(super) marks: Vec<Marks>,
}

/// What is known of a row when it is written.
pub(super) struct RowDone {
    pub(super) label: i64,
    /// Labels of those that it is mixed with.
    pub(super) partner_labels: Vec<i64>,
    pub(super) chosen: Chosen,
    /// Size of the first group's images.
    pub(super) size: Size,
    /// CRC32C of its views in each group's tensor.
    pub(super) crc32c: Vec<u32>,
    /// What is marked on its views, group by group, if that travels.
    pub(super) marks: Vec<Marks>,
}

impl Making {
    pub(super) fn new(request: &Request, key: BatchKey, charge: Charge, bytes: u64) -> Arc<Making> {
        let recipe = &request.recipe;
        let positions = recipe.plan.positions(key.cursor.step);
        let order = recipe.plan.epoch(key.cursor.epoch);
        let global_rows = (positions.end - positions.start) as u32;
        let own = request.shard.rows(global_rows);
        let row = |row: u32| {
            let position = positions.start + u64::from(row);
            RowPlan { position, sample: recipe.members.sample(order.sample(position)), mix: None }
        };
        let mut rows: Vec<RowPlan> = own.clone().map(row).collect();
        if let (Some(mixing), Some(size)) = (&recipe.mixing, recipe.size()) {
            let mut places: HashMap<u32, usize> = own.clone().zip(0..).collect();
            for global in own.clone() {
                let at = (key.cursor.epoch, key.cursor.step);
                let Some(mix) = mixing.draw(recipe.seed, at, &positions, global, size) else { continue };
                let mut place = |partner: &u32| {
                    *places.entry(*partner).or_insert_with(|| {
                        rows.push(row(*partner));
                        rows.len() - 1
                    })
                };
                let partners = mix.partners.iter().map(&mut place).collect();
                rows[(global - own.start) as usize].mix = Some((mix, partners));
            }
        }
        let own_rows = own.len();
        let mixed = recipe.mixing.is_some();
        Arc::new(Making {
            recipe: Arc::clone(recipe),
            form: Arc::clone(&request.form),
            own: own_rows,
            first_row: own.start,
            global_rows,
            bytes,
            shared: request.shared_memory,
            first: Phase::new(rows.len()),
            second: Phase::new(if mixed { own_rows } else { 0 }),
            staged: (0..if mixed { rows.len() } else { 0 }).map(|_| OnceLock::new()).collect(),
            noted: (0..if mixed { own_rows } else { 0 }).map(|_| OnceLock::new()).collect(),
            slots: RwLock::new(None),
            charge: Mutex::new(Some(charge)),
            buffer: Mutex::new(None),
            done: (0..own_rows).map(|_| OnceLock::new()).collect(),
            error: Mutex::new(None),
            cancelled: AtomicBool::new(false),
            outcome: OnceLock::new(),
            started: OnceLock::new(),
            takers: AtomicU32::new(0),
            decode_ns: AtomicU64::new(0),
            augment_ns: AtomicU64::new(0),
            collate_ns: AtomicU64::new(0),
            rows,
            key,
        })
    }

    /// Whether rows are staged to be mixed.
    pub(super) fn is_mixed(&self) -> bool {
        self.recipe.mixing.is_some()
    }

    /// Whether there is no task to claim any more, now or later.
    pub(super) fn is_spent(&self) -> bool {
        self.is_cancelled() || self.first.left() + self.second.left() == 0
    }

    /// How many tasks could be claimed now.
    pub(super) fn claimable(&self) -> usize {
        if self.is_cancelled() {
            return 0;
        }
        match self.first.left() {
            0 if self.first.is_over() => self.second.left(),
            left => left,
        }
    }

    /// The next task for one of `threads` workers: as many rows as are worth coming for, and no more than leave enough to the others.
    /// None if there is none now, or ever.
    pub(super) fn claim(&self, threads: usize) -> Option<Task> {
        if self.is_cancelled() {
            return None;
        }
        let _ = self.started.get_or_init(Instant::now);
        let most = |phase: &Phase| self.recipe.rows_per_task().min(phase.left() / (2 * threads));
        if let Some(rows) = self.first.claim(most(&self.first)) {
            return Some(Task::Make(rows));
        }
        if self.first.is_over() { self.second.claim(most(&self.second)).map(Task::Mix) } else { None }
    }

    /// Adds to what was done for it.
    pub(super) fn add(&self, tally: &Tally) {
        self.decode_ns.fetch_add(tally.decode_ns, Ordering::Relaxed);
        self.augment_ns.fetch_add(tally.augment_ns, Ordering::Relaxed);
        self.collate_ns.fetch_add(tally.collate_ns, Ordering::Relaxed);
    }

    /// Counts a task as done, whether it was or the making had been cancelled.
    pub(super) fn finish(&self, task: Task) -> Then {
        match task {
            Task::Make(rows) if !self.first.finish(rows) => Then::Nothing,
            Task::Make(_) if !self.second.is_empty() => Then::MixNow,
            Task::Mix(rows) if !self.second.finish(rows) => Then::Nothing,
            _ => Then::Assemble,
        }
    }

    /// Whether there is nothing to do: a rank without rows in a short batch.
    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    pub(super) fn cancel(&self) {
        self.cancelled.store(true, Ordering::Release);
    }

    pub(super) fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Acquire)
    }

    /// The batch or why there is none, when it is over.
    pub(super) fn outcome(&self) -> Option<&Result<Arc<Batch>, BatchError>> {
        self.outcome.get()
    }

    /// Counts one more session that takes the batch, and returns how many have.
    pub(super) fn take(&self) -> u32 {
        self.takers.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Notes an error of a row; that of the first row counts, whichever worker met one first.
    pub(super) fn fail(&self, row: usize, error: BatchError) {
        let mut slot = self.error.lock().unwrap_or_else(PoisonError::into_inner);
        if slot.as_ref().is_none_or(|(other, _)| row < *other) {
            *slot = Some((row, error));
        }
    }

    pub(super) fn stage(&self, row: usize, staged: Staged) {
        let _ = self.staged[row].set(staged);
    }

    pub(super) fn staged(&self, row: usize) -> Option<&Staged> {
        self.staged.get(row)?.get()
    }

    /// How many rows are the batch's own; partners follow.
    pub(super) fn own_rows(&self) -> usize {
        self.own
    }

    /// Notes which sample is in a staged row.
    pub(super) fn note(&self, row: usize, chosen: Chosen) {
        let _ = self.noted[row].set(chosen);
    }

    pub(super) fn noted(&self, row: usize) -> Option<Chosen> {
        self.noted.get(row)?.get().cloned()
    }

    pub(super) fn row_done(&self, row: usize, done: RowDone) {
        let _ = self.done[row].set(done);
    }

    /// Length of an image of `size` in the tensor of a group.
    pub(super) fn image_bytes(&self, group: usize, size: Size) -> usize {
        self.form.writers[group].bytes(size.area()) as usize
    }

    /// Hands the place of a row's views in the tensor of a group to `write`.
    ///
    /// # Errors
    /// [`BatchError::Internal`] if the row is written by somebody else: a bug.
    pub(super) fn write_row<R>(
        &self,
        group: usize,
        row: usize,
        write: impl FnOnce(&mut [u8]) -> R,
    ) -> Result<R, BatchError> {
        let mut slots = self.slots.read().unwrap_or_else(PoisonError::into_inner);
        if slots.is_none() {
            drop(slots);
            self.ensure_slots();
            slots = self.slots.read().unwrap_or_else(PoisonError::into_inner);
        }
        let mut slot = slots
            .as_ref()
            .and_then(|slots| slots.row(group, row))
            .ok_or_else(|| BatchError::Internal(format!("row {row} of {} is written twice", self.key.cursor)))?;
        Ok(write(&mut slot))
    }

    /// Makes the payload's memory, once, by whichever worker comes first.
    fn ensure_slots(&self) {
        let mut charge = self.charge.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(charge) = charge.take() {
            let most = self.recipe.targets.most(self.own as u32, &self.recipe.groups);
            let (tensors, payload) = self.tensors(self.recipe.largest(), &most);
            let mut buffer = charge.buffer(payload as usize, self.shared);
            let sections = self.recipe.groups.iter().zip(&tensors).enumerate().map(|(index, (group, tensor))| {
                let row_bytes = self.image_bytes(index, group.output.largest) * group.views as usize;
                Section { offset: tensor.offset as usize, row_bytes }
            });
            let slots = Slots::new(buffer.lift(), self.own, sections.collect());
            *self.buffer.lock().unwrap_or_else(PoisonError::into_inner) = Some(buffer);
            *self.slots.write().unwrap_or_else(PoisonError::into_inner) = Some(slots);
        }
    }

    fn tensors(&self, size: Size, counts: &[Counts]) -> (Vec<Tensor>, u64) {
        self.form.tensors(&self.recipe, self.own as u32, size, counts).unwrap_or_default()
    }

    /// Puts the batch together when all of its rows are written.
    pub(super) fn assemble(&self) {
        let error = self.error.lock().unwrap_or_else(PoisonError::into_inner).take();
        let outcome = match error {
            _ if self.is_cancelled() => return,
            Some((_, error)) => Err(error),
            None => self.assembled(),
        };
        let _ = self.outcome.set(outcome.map(Arc::new));
    }

    fn timings(&self) -> v1::Timings {
        v1::Timings {
            decode_ns: self.decode_ns.load(Ordering::Relaxed),
            augment_ns: self.augment_ns.load(Ordering::Relaxed),
            collate_ns: self.collate_ns.load(Ordering::Relaxed),
            made_ns: self.started.get().map_or(0, |start| start.elapsed().as_nanos() as u64),
            shared_by: 0,
        }
    }
}
