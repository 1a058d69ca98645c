use std::collections::BTreeMap;
use std::sync::Arc;

use rayon::ThreadPoolBuilder;
use rayon::prelude::*;

use crate::header::{self, HeaderError};
use crate::source::{Entry, ListedAnnotations, ListedSplit, Listing};

use super::annotated::{self, Annotated};
use super::files::{self, Files, Read};
use super::fingerprint::{Content, Fingerprint};
use super::headers::{Headers, Told};
use super::keys::Keys;
use super::samples::{Loaded, Split, index_bytes};
use super::slots::Room;
use super::verdicts::{State, Verdicts};
use super::{Dataset, Event, LoadOptions, Mode, Progress, StoreError, refuse_same_names};

/// Reads datasets into memory, and checks the header of every sample.
///
/// Samples that are damaged, too large or unreadable do not stop it: [`Split::with_state`] lists them. A file whose length has
/// changed since it was listed is taken as it is now.
///
/// # Errors
/// [`StoreError`], above all if the datasets don't fit the budget; that is known before any file is read, except in mode
/// decoded.
pub fn load(
    listings: Vec<Listing>,
    options: &LoadOptions,
    progress: &Progress<'_>,
) -> Result<Vec<Dataset>, StoreError> {
    refuse_same_names(&listings)?;
    let pool =
        ThreadPoolBuilder::new().num_threads(options.threads).thread_name(|number| format!("load-{number}")).build()?;
    let drafts = listings.into_iter().map(Draft::new).collect::<Result<Vec<_>, _>>()?;
    let room = room_for(&drafts, options)?;
    let mut read = Vec::with_capacity(drafts.len());
    for draft in drafts {
        read.push(pool.install(|| draft.read(options, &room, progress))?);
    }
    finish(read, options, room.left())
}

/// A dataset before its files are read.
struct Draft {
    name: String,
    classes: Vec<String>,
    box_classes: Vec<String>,
    keypoint_names: Vec<String>,
    splits: Vec<(Keys, ListedSplit)>,
}

/// A dataset after its files are read, but for the decoded images it may keep.
struct Done {
    name: String,
    classes: Vec<String>,
    box_classes: Vec<String>,
    keypoint_names: Vec<String>,
    fingerprint: String,
    splits: Vec<Loaded>,
}

impl Draft {
    fn new(listing: Listing) -> Result<Self, StoreError> {
        let Listing { name, classes, box_classes, keypoint_names, splits, ignored: _ } = listing;
        let known = -1..classes.len() as i64;
        let mut drafts = Vec::with_capacity(splits.len());
        for mut split in splits {
            if let Some(entry) = split.entries.iter().find(|entry| !known.contains(&entry.label)) {
                let (key, label) = (entry.key.clone(), entry.label);
                return Err(StoreError::Label { key, label, classes: classes.len() });
            }
            let keys = Keys::new(split.entries.iter().map(|entry| (entry.key.as_str(), entry.label)));
            let keys =
                keys.ok_or_else(|| StoreError::TooManyNames { dataset: name.clone(), split: split.name.clone() })?;
            split.entries.iter_mut().for_each(|entry| entry.key = String::new());
            drafts.push((keys, split));
        }
        Ok(Draft { name, classes, box_classes, keypoint_names, splits: drafts })
    }

    /// Bytes of the files and of the index.
    fn bytes(&self, keeps_decoded: bool) -> (u64, u64) {
        let mut sum = (0_u64, 0_u64);
        for (keys, split) in &self.splits {
            let files = split.entries.iter().fold(0_u64, |sum, entry| sum.saturating_add(entry.bytes));
            let (masks, annotations) = split.annotations.as_ref().map_or((0, 0), annotated::bytes);
            sum.0 = sum.0.saturating_add(files).saturating_add(masks);
            sum.1 = sum.1.saturating_add(index_bytes(keys, self.classes.len(), keeps_decoded));
            sum.1 = sum.1.saturating_add(annotations);
        }
        sum
    }

    fn read(mut self, options: &LoadOptions, room: &Room, progress: &Progress<'_>) -> Result<Done, StoreError> {
        let mut fingerprint = Fingerprint::new(&self.classes, self.splits.len());
        let mut splits = Vec::with_capacity(self.splits.len());
        let mut mask_contents = Vec::with_capacity(self.splits.len());
        for (keys, split) in std::mem::take(&mut self.splits) {
            let masks = split.annotations.iter().flat_map(|annotations| &annotations.masks).map(|mask| mask.bytes);
            let (masks, bytes): (Vec<u64>, u64) =
                (masks.collect(), split.entries.iter().map(|entry| entry.bytes).sum());
            let samples = split.entries.len() as u64;
            progress(Event::Split { dataset: &self.name, split: &split.name, samples, bytes });
            let no_memory = || StoreError::NoMemory { bytes, dataset: self.name.clone(), split: split.name.clone() };
            let files = Files::with_lengths(split.entries.iter().map(|entry| entry.bytes)).ok_or_else(no_memory)?;
            let masks = Files::with_lengths(masks.into_iter()).ok_or_else(no_memory)?;
            let (loaded, contents, masks) = read_split(keys, split, (files, masks), options.max_pixels, room, progress);
            fingerprint.split(&loaded.name, &loaded.keys, &contents);
            mask_contents.push(masks);
            splits.push(loaded);
        }
        if splits.iter().any(|split| split.annotated.is_some()) {
            fingerprint.names(&self.box_classes, &self.keypoint_names);
        }
        for (split, masks) in splits.iter().zip(&mask_contents) {
            if let Some(annotated) = &split.annotated {
                fingerprint.annotations(&split.name, annotated.table(), masks);
            }
        }
        let Draft { name, classes, box_classes, keypoint_names, .. } = self;
        Ok(Done { name, classes, box_classes, keypoint_names, fingerprint: fingerprint.digits(), splits })
    }
}

/// What reading a sample gave.
struct Outcome {
    told: Told,
    content: Content,
    /// Nearly always none.
    rare: Option<Box<Rare>>,
}

#[derive(Default)]
struct Rare {
    apart: Option<Box<[u8]>>,
    cause: Option<Box<str>>,
}

fn read_split(
    keys: Keys,
    split: ListedSplit,
    (mut files, masks): (Files, Files),
    max_pixels: u64,
    room: &Room,
    progress: &Progress<'_>,
) -> (Loaded, Vec<Content>, Vec<Content>) {
    let mut outcomes: Vec<Outcome> = split
        .entries
        .into_par_iter()
        .zip(files.slots())
        .map(|(entry, slot)| {
            let outcome = read_sample(&entry, slot, max_pixels, room);
            progress(Event::Sample { bytes: outcome.content.map_or(0, |(length, _)| length) });
            outcome
        })
        .collect();
    let (annotated, mask_contents) = annotate(split.annotations, masks, &mut outcomes, room);
    let (mut apart, mut causes) = (BTreeMap::new(), BTreeMap::new());
    for (index, outcome) in outcomes.iter_mut().enumerate() {
        if let Some(rare) = outcome.rare.take() {
            apart.extend(rare.apart.map(|bytes| (index, bytes)));
            causes.extend(rare.cause.map(|cause| (index, cause)));
        }
    }
    files.set_apart(apart);
    let headers = Headers::new(outcomes.iter().map(|outcome| outcome.told));
    let verdicts = Verdicts::new(outcomes.iter().map(|outcome| outcome.told.state), causes);
    let contents = outcomes.into_iter().map(|outcome| outcome.content).collect();
    (Loaded { name: split.name, keys, files, headers, verdicts, annotated }, contents, mask_contents)
}

/// Reads masks, and notes in the outcomes which samples are at fault for theirs.
fn annotate(
    listed: Option<ListedAnnotations>,
    masks: Files,
    outcomes: &mut [Outcome],
    room: &Room,
) -> (Option<Annotated>, Vec<Content>) {
    let Some(listed) = listed else { return (None, Vec::new()) };
    let sizes: Vec<_> = outcomes.iter().map(|outcome| outcome.told.size).collect();
    let (annotated, contents, faults) = annotated::read(listed, masks, &sizes, room);
    for (index, (state, cause)) in faults {
        // What is wrong with the image itself counts more.
        if let Some(outcome) = outcomes.get_mut(index).filter(|outcome| outcome.told.state == State::Unknown) {
            outcome.told.state = state;
            outcome.rare.get_or_insert_default().cause = Some(cause.into());
        }
    }
    (Some(annotated), contents)
}

fn read_sample(entry: &Entry, slot: &mut [u8], max_pixels: u64, room: &Room) -> Outcome {
    let mut rare = Rare::default();
    let bytes = match files::read(&entry.location, slot, room) {
        Read::InPlace => &*slot,
        Read::Apart(bytes) => &**rare.apart.insert(bytes),
        Read::Failed(cause) => {
            // Nothing half read shows through.
            let rare = Rare { apart: Some(Box::default()), cause: Some(cause.into()) };
            let told = Told { format: None, size: None, state: State::Unreadable };
            return Outcome { told, content: None, rare: Some(Box::new(rare)) };
        }
    };
    let content = Some((bytes.len() as u64, *blake3::hash(bytes).as_bytes()));
    let told = match header::read(bytes) {
        Ok(header) => {
            let state = if header.size.area() > max_pixels { State::TooLarge } else { State::Unknown };
            Told { format: Some(header.format), size: Some(header.size), state }
        }
        Err(error) => {
            rare.cause = Some(error.to_string().into());
            let format = if let HeaderError::Damaged { format, .. } = error { Some(format) } else { None };
            Told { format, size: None, state: State::Damaged }
        }
    };
    let rare = (rare.apart.is_some() || rare.cause.is_some()).then(|| Box::new(rare));
    Outcome { told, content, rare }
}

/// What the budget leaves beside the encoded samples and the index.
fn room_for(drafts: &[Draft], options: &LoadOptions) -> Result<Room, StoreError> {
    let (files, index) = drafts.iter().fold((0_u64, 0_u64), |sum, draft| {
        let own = draft.bytes(options.mode != Mode::Encoded);
        (sum.0.saturating_add(own.0), sum.1.saturating_add(own.1))
    });
    let needed = files.saturating_add(index);
    match options.budget.checked_sub(needed) {
        Some(left) => Ok(Room::new(left)),
        None => Err(StoreError::OverBudget { needed, index, budget: options.budget }),
    }
}

/// Gives each dataset its part of the bytes that are `left`, by the size of its decoded images.
fn finish(read: Vec<Done>, options: &LoadOptions, left: u64) -> Result<Vec<Dataset>, StoreError> {
    let decoded: Vec<u64> = (read.iter())
        .map(|done| done.splits.iter().fold(0_u64, |sum, split| sum.saturating_add(split.headers.decoded_bytes())))
        .collect();
    let all = decoded.iter().fold(0_u64, |sum, own| sum.saturating_add(*own));
    if options.mode == Mode::Decoded && all > left {
        return Err(StoreError::DecodedOverBudget { decoded: all, left });
    }
    let datasets = read.into_iter().zip(decoded).map(|(mut done, own)| {
        let room = (options.mode != Mode::Encoded).then(|| Arc::new(Room::new(share(own, all, left))));
        let classes = done.classes.len();
        let splits = std::mem::take(&mut done.splits).into_iter();
        let splits = splits.map(|split| Split::new(split, classes, options.max_pixels, room.clone())).collect();
        let Done { name, fingerprint, classes, box_classes, keypoint_names, .. } = done;
        Dataset { name, fingerprint, classes, box_classes, keypoint_names, splits }
    });
    Ok(datasets.collect())
}

/// The part of `left` for `own` of `all` bytes: all of them if there is enough, else in proportion, rounded down.
fn share(own: u64, all: u64, left: u64) -> u64 {
    if all <= left {
        return own;
    }
    // Not above `left`, so it fits; a sum that was cut off at the largest number may have parts above it.
    (u128::from(left) * u128::from(own) / u128::from(all)) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_proportional_and_never_above_what_is_left() {
        assert_eq!((share(10, 30, 100), share(20, 30, 30)), (10, 20));
        assert_eq!((share(10, 30, 15), share(20, 30, 15)), (5, 10));
        assert_eq!((share(1, 3, 2), share(0, 0, 0)), (0, 0));
        assert_eq!(share(u64::MAX, u64::MAX, 7), 7);
    }
}
