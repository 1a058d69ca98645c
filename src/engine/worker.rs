use std::borrow::Cow;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::error::{BatchError, Culprit};
use super::making::{Chosen, Making, RowDone, Staged, Task};
use super::recipe::Recipe;
use super::statistics::{Clock, Statistics, Tally};
use crate::augment::{Failed, Scratch};
use crate::decode::{self, DecodeError, Decoder, Limits};
use crate::image::{Excerpt, Image, Pixels, Size};
use crate::sample::Mask;
use crate::seed::{Key, Purpose};
use crate::store::{Split, State};

mod mixing;

/// What one worker keeps between rows.
pub(super) struct Worker {
    decoder: Decoder,
    scratch: Scratch,
    pixels: Vec<u8>,
    turned: Vec<u8>,
    /// Masks of the sample that was found last, if they travel.
    masks: Vec<Mask>,
    /// The sample that was found for the row.
    sample: Option<u64>,
    /// What was done since it was last told.
    tally: Tally,
}

/// A row's sample as it was found: itself, or the one that takes its place.
struct Found {
    chosen: Chosen,
    size: Size,
    source: Source,
}

/// Where the pixels are.
enum Source {
    /// In the store, decoded.
    Store,
    /// In the worker's buffer; if an excerpt is named, that alone.
    Worker(Option<Excerpt>),
}

impl Worker {
    pub(super) fn new(limits: Limits) -> Worker {
        Worker {
            decoder: Decoder::new(limits),
            scratch: Scratch::default(),
            pixels: Vec::new(),
            turned: Vec::new(),
            masks: Vec::new(),
            sample: None,
            tally: Tally::default(),
        }
    }

    /// Does a task.
    pub(super) fn run(&mut self, making: &Making, task: Task, statistics: &Statistics) {
        for row in task.rows().iter() {
            if making.is_cancelled() {
                break;
            }
            self.run_row(making, task, row);
        }
        let tally = std::mem::take(&mut self.tally);
        making.add(&tally);
        statistics.add(&tally);
    }

    /// Does one row of a task. An error or a panic is noted in the making, and ends nothing else.
    fn run_row(&mut self, making: &Making, task: Task, row: usize) {
        self.sample = None;
        let done = catch_unwind(AssertUnwindSafe(|| match task {
            Task::Make(_) => self.make(making, row),
            Task::Mix(_) => self.mix(making, row),
        }));
        match done {
            Ok(Ok(())) => {}
            Ok(Err(error)) => making.fail(row, error),
            Err(panic) => {
                // What the panic left behind may be half changed.
                self.scratch = Scratch::default();
                let sample = self.sample.unwrap_or(making.rows[row].sample);
                if let Some(Failed { op, cause }) = panic.downcast_ref() {
                    let culprit = culprit(&making.recipe, sample);
                    return making.fail(row, BatchError::Op { culprit, op, cause: cause.clone() });
                }
                let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
                let text = text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
                making.fail(row, BatchError::Internal(format!("sample {sample} at {}: {text}", making.key.cursor)));
            }
        }
    }

    fn make(&mut self, making: &Making, row: usize) -> Result<(), BatchError> {
        let recipe = &*making.recipe;
        let plan = &making.rows[row];
        let mut clock = Clock::start();
        let key = Key {
            seed: recipe.seed,
            epoch: making.key.cursor.epoch,
            position: plan.position,
            view: 0,
            op: 0,
            purpose: Purpose::Op,
        };
        let found = self.find(recipe, plan.sample, key, making.form.substitute)?;
        clock.lap(&mut self.tally.decode_ns);
        self.sample = Some(found.chosen.sample);

        let Worker { scratch, pixels, turned, masks, tally, .. } = self;
        let (samples, index) = (recipe.samples(), found.chosen.sample);
        let (mut size, mut raw, excerpt): (Size, &[u8], _) = match found.source {
            Source::Store => (found.size, samples.decoded(index).unwrap_or_default(), None),
            Source::Worker(None) => (found.size, pixels, None),
            Source::Worker(Some(excerpt)) => (excerpt.pixels().size, pixels, Some(excerpt)),
        };
        let (stored, mut orientation) = (size, 1);
        if recipe.exif_orientation {
            orientation = decode::orientation(samples.encoded(index));
            if orientation > 1 {
                size = decode::orient_into(size, raw, orientation, turned);
                raw = turned;
            }
        }
        let label = samples.label(index);
        let image = Image::from_u8(size, 3, Cow::Borrowed(raw));
        let sample = recipe.targets.sample(samples, index, image, (stored, orientation), std::mem::take(masks));
        let (mut sample, mut finish) = recipe.pipeline.run_unfinished(sample, excerpt, key, scratch);
        tally.rows += 1;
        if making.is_mixed() || !recipe.groups[0].is_plain() {
            finish.apply(&mut sample.image, scratch);
        }
        if making.is_mixed() {
            let group = &recipe.groups[0];
            let (mut views, mut marks) = (Vec::new(), Vec::new());
            if group.is_plain() {
                marks.extend(recipe.targets.marks(&mut sample));
                views.push(owned(sample.image));
            } else {
                for view in 0..group.views {
                    let (image, marked) = group.made(view, &mut sample, &finish, &recipe.targets, key, scratch)?;
                    views.push(owned(image.into_owned()));
                    marks.extend(marked);
                }
            }
            clock.lap(&mut tally.augment_ns);
            if row < making.own_rows() {
                making.note(row, found.chosen);
            }
            making.stage(row, Staged { views, label, marks });
            return Ok(());
        }
        let (mut crc32c, mut marks) = (Vec::with_capacity(recipe.groups.len()), Vec::new());
        let mut first_size = None;
        for (index, group) in recipe.groups.iter().enumerate() {
            let summed = making.write_row(index, row, |slot| {
                let mut crc = 0;
                let mut rest = &mut slot[..];
                for view in 0..group.views {
                    let (image, marked) = group.made(view, &mut sample, &finish, &recipe.targets, key, scratch)?;
                    marks.extend(marked);
                    clock.lap(&mut tally.augment_ns);
                    let size = finish.size(&image);
                    first_size.get_or_insert(size);
                    rest = write(making, index, rest, size, |out| {
                        crc = making.form.writers[index].write_unfinished(&image, &finish, scratch, crc, out);
                    });
                    if let Cow::Owned(image) = image {
                        scratch.recycle(image);
                    }
                    clock.lap(&mut tally.collate_ns);
                }
                Ok::<_, BatchError>(crc)
            })??;
            crc32c.push(summed);
        }
        scratch.recycle(sample.image);
        let size = first_size.unwrap_or(recipe.largest());
        making.row_done(row, RowDone { label, partner_labels: Vec::new(), chosen: found.chosen, size, crc32c, marks });
        clock.lap(&mut tally.collate_ns);
        Ok(())
    }

    /// The pixels of a sample, or of the one that takes its place if it is damaged and that is wanted.
    fn find(&mut self, recipe: &Recipe, index: u64, key: Key, substitute: bool) -> Result<Found, BatchError> {
        let cause = match self.load(recipe, index, key)? {
            Ok((size, source)) => {
                return Ok(Found { chosen: Chosen { sample: index, instead_of: None }, size, source });
            }
            Err(cause) => cause,
        };
        let culprit = culprit(recipe, index);
        if !substitute {
            return Err(BatchError::Damaged { culprit, cause });
        }
        let samples = recipe.samples();
        let label = samples.label(index);
        let start = recipe.members.index_of(index).unwrap_or(0);
        for step in 1..recipe.members.len() {
            let other = recipe.members.sample((start + step) % recipe.members.len());
            if samples.label(other) != label || !matches!(samples.state(other), State::Unknown | State::Sound) {
                continue;
            }
            if let Ok((size, source)) = self.load(recipe, other, key)? {
                self.tally.substitutions += 1;
                let chosen = Chosen { sample: other, instead_of: Some((index, cause)) };
                return Ok(Found { chosen, size, source });
            }
        }
        Err(BatchError::NoSubstitute { culprit, cause })
    }

    /// Decodes a sample, unless it is there decoded; the inner error is the cause of its damage.
    fn load(&mut self, recipe: &Recipe, index: u64, key: Key) -> Result<Result<(Size, Source), String>, BatchError> {
        let samples = recipe.samples();
        let cause = || samples.cause(index).unwrap_or_default();
        match samples.state(index) {
            State::Damaged => return Ok(Err(cause())),
            State::TooLarge => {
                return Err(BatchError::TooLarge { culprit: culprit(recipe, index), cause: cause() });
            }
            State::Unreadable => {
                return Err(BatchError::Unreadable { culprit: culprit(recipe, index), cause: cause() });
            }
            State::Unknown | State::Sound => {}
        }
        // Reduced images are neither taken from the store nor kept: the bytes are the same whatever it keeps.
        let is_reduced = |excerpt: Option<Excerpt>| excerpt.is_some_and(|excerpt| excerpt.reduction > 1);
        if let (Some(_), Some(size)) = (samples.decoded(index), samples.size(index))
            && !(recipe.scaled && is_reduced(recipe.excerpt(index, size, key)))
        {
            self.tally.decoded_hits += 1;
            return self.load_masks(recipe, index).map(|masks| masks.map(|()| (size, Source::Store)));
        }
        let is_kept = samples.would_keep_decoded(index);
        let excerpt = |size| recipe.excerpt(index, size, key).filter(|excerpt| !is_kept || is_reduced(Some(*excerpt)));
        match self.decode(samples, index, excerpt) {
            Ok((size, excerpt)) => {
                self.load_masks(recipe, index).map(|masks| masks.map(|()| (size, Source::Worker(excerpt))))
            }
            Err(error) if error.is_limit() => {
                Err(BatchError::TooLarge { culprit: culprit(recipe, index), cause: error.to_string() })
            }
            Err(error) => Ok(Err(error.to_string())),
        }
    }

    /// Decodes the masks of a sample, if they travel; errors as those of [`Worker::load`].
    fn load_masks(&mut self, recipe: &Recipe, index: u64) -> Result<Result<(), String>, BatchError> {
        self.masks.clear();
        match self.decoder.masks(recipe.targets.masks, |number| recipe.samples().mask(index, number)) {
            Ok(masks) => {
                self.masks = masks;
                Ok(Ok(()))
            }
            Err(error) if error.is_limit() => {
                Err(BatchError::TooLarge { culprit: culprit(recipe, index), cause: format!("mask: {error}") })
            }
            Err(error) => Ok(Err(format!("mask: {error}"))),
        }
    }

    /// Decodes a sample into the store, if it takes decoded images; what [`super::Engine::fill`] does for each.
    pub(super) fn fill(&mut self, samples: &Split, index: u64, statistics: &Statistics) {
        if samples.decoded(index).is_none() && matches!(samples.state(index), State::Unknown | State::Sound) {
            // Whatever is wrong is noted in the store, and told to the streams that need the sample.
            let _ = self.decode(samples, index, |_| None);
            statistics.add(&std::mem::take(&mut self.tally));
        }
    }

    /// Decodes a sample, or at least an excerpt of it, into this worker's pixels, gives them to the store, and notes there whether the file
    /// is sound. Returns the size of the whole, and the excerpt if that is all.
    fn decode(
        &mut self,
        samples: &Split,
        index: u64,
        excerpt: impl FnOnce(Size) -> Option<Excerpt>,
    ) -> Result<(Size, Option<Excerpt>), DecodeError> {
        self.tally.decodes += 1;
        // Whether the file is sound does not depend on which excerpt was wanted first.
        let checked = samples.state(index) != State::Sound;
        match self.decoder.decode_excerpt(samples.encoded(index), excerpt, checked, &mut self.pixels) {
            Ok((info, excerpt)) => {
                // A sample is sound when its masks are too. They are looked at once, whoever wants the sample.
                if samples.state(index) == State::Unknown {
                    match self.decoder.masks(samples.masks_per_sample(), |number| samples.mask(index, number)) {
                        Ok(_) => samples.mark_sound(index),
                        Err(error) if error.is_limit() => {}
                        Err(error) => samples.mark_damaged(index, &format!("mask: {error}")),
                    }
                }
                if excerpt.is_none() {
                    samples.keep_decoded(index, &self.pixels);
                }
                Ok((info.size, excerpt))
            }
            Err(error) => {
                if !error.is_limit() {
                    samples.mark_damaged(index, &error.to_string());
                }
                Err(error)
            }
        }
    }
}

fn culprit(recipe: &Recipe, index: u64) -> Culprit {
    let samples = recipe.samples();
    Culprit { dataset: recipe.dataset.name.clone(), split: samples.name().to_owned(), index, key: samples.key(index) }
}

/// Writes an image of `size` at the start of `out`; returns what is left of it.
fn write<'a>(
    making: &Making,
    group: usize,
    out: &'a mut [u8],
    size: Size,
    write: impl FnOnce(&mut [u8]),
) -> &'a mut [u8] {
    let (image, rest) = out.split_at_mut(making.image_bytes(group, size));
    write(image);
    rest
}

fn owned(image: Image<'_>) -> Image<'static> {
    let (size, channels) = (image.size(), image.channels());
    match image.into_pixels() {
        Pixels::U8(values) => Image::from_u8(size, channels, values.into_owned()),
        Pixels::F32(values) => Image::from_f32(size, channels, values),
    }
}
