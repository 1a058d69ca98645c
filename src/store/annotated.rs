use std::collections::BTreeMap;

use rayon::prelude::*;

use super::files::{self, Files, Read};
use super::fingerprint::Content;
use super::samples::Split;
use super::slots::Room;
use super::verdicts::State;
use crate::header::{self, Format};
use crate::image::Size;
use crate::sample::{AnnotationTable, BoundingBox, Keypoint};
use crate::source::{ListedAnnotations, ListedMask};

/// What is marked on the images of a split: boxes and keypoints by number, masks encoded.
#[derive(Debug)]
pub(super) struct Annotated {
    table: AnnotationTable,
    has_boxes: bool,
    has_keypoints: bool,
    masks: Files,
    masks_per_sample: usize,
    /// The first sample with a box that reaches beyond its image, and how many there are.
    beyond: Option<(u64, u64)>,
}

/// Why a sample can't be used, though its image could be read.
pub(super) type Fault = (State, String);

/// Bytes of masks, and of the index over them and over boxes and keypoints.
pub(super) fn bytes(listed: &ListedAnnotations) -> (u64, u64) {
    let masks = listed.masks.iter().fold(0_u64, |sum, mask| sum.saturating_add(mask.bytes));
    (masks, listed.table.bytes().saturating_add((listed.masks.len() * Files::BYTES) as u64))
}

/// Reads the masks of a split into `files`, made for them, and checks each against the size of its image. Returns what there is, with
/// the content of every mask for the fingerprint and what is wrong with samples, by index.
pub(super) fn read(
    listed: ListedAnnotations,
    mut files: Files,
    sizes: &[Option<Size>],
    room: &Room,
) -> (Annotated, Vec<Content>, BTreeMap<usize, Fault>) {
    let ListedAnnotations { table, has_boxes, has_keypoints, masks, masks_per_sample, .. } = listed;
    let per_sample = masks_per_sample.max(1);
    let mut outcomes: Vec<Outcome> = (masks.par_iter().zip(files.slots()).enumerate())
        .map(|(index, (mask, slot))| read_mask(mask, slot, sizes.get(index / per_sample).copied().flatten(), room))
        .collect();
    let (mut apart, mut faults) = (BTreeMap::new(), BTreeMap::new());
    for (index, outcome) in outcomes.iter_mut().enumerate() {
        apart.extend(outcome.apart.take().map(|bytes| (index, bytes)));
        if let Some(fault) = outcome.fault.take() {
            // Of several the first one is told.
            faults.entry(index / per_sample).or_insert(fault);
        }
    }
    files.set_apart(apart);
    let reaching = sizes
        .iter()
        .enumerate()
        .filter(|(index, size)| size.is_some_and(|size| *index < table.len() && table.reaches_beyond(*index, size)));
    let beyond = reaching.fold(None, |beyond, (index, _)| match beyond {
        None => Some((index as u64, 1)),
        Some((first, count)) => Some((first, count + 1)),
    });
    let contents = outcomes.into_iter().map(|outcome| outcome.content).collect();
    (Annotated { table, has_boxes, has_keypoints, masks: files, masks_per_sample, beyond }, contents, faults)
}

/// What reading a mask gave.
struct Outcome {
    content: Content,
    apart: Option<Box<[u8]>>,
    fault: Option<Fault>,
}

fn read_mask(mask: &ListedMask, slot: &mut [u8], size: Option<Size>, room: &Room) -> Outcome {
    let mut apart = None;
    let bytes = match files::read(&mask.location, slot, room) {
        Read::InPlace => &*slot,
        Read::Apart(bytes) => &**apart.insert(bytes),
        Read::Failed(cause) => {
            let fault = Some((State::Unreadable, format!("mask {}: {cause}", mask.key)));
            return Outcome { content: None, apart: Some(Box::default()), fault };
        }
    };
    let content = Some((bytes.len() as u64, *blake3::hash(bytes).as_bytes()));
    let wrong = match header::read(bytes) {
        Err(error) => Some(error.to_string()),
        Ok(header) if header.format != Format::Png => Some(format!("is a {:?} file, expected PNG", header.format)),
        // An image that could not be read has its own fault.
        Ok(header) => size
            .filter(|size| *size != header.size)
            .map(|size| format!("is of {}, expected {size} as its image", header.size)),
    };
    let fault = wrong.map(|wrong| (State::Damaged, format!("mask {}: {wrong}", mask.key)));
    Outcome { content, apart, fault }
}

impl Annotated {
    pub(super) fn table(&self) -> &AnnotationTable {
        &self.table
    }

    /// Bytes of memory of masks, and of all else.
    pub(super) fn memory(&self) -> (u64, u64) {
        let masks = self.masks_per_sample * self.table.len();
        (self.masks.memory(), self.table.bytes() + (masks * Files::BYTES) as u64)
    }

    /// Bytes of all masks.
    pub(super) fn content(&self) -> u64 {
        self.masks.content()
    }
}

/// Annotations.
impl Split {
    /// Whether it has boxes, though some samples or all may have none.
    pub fn has_boxes(&self) -> bool {
        self.annotated().is_some_and(|annotated| annotated.has_boxes)
    }

    /// Whether it has keypoints.
    pub fn has_keypoints(&self) -> bool {
        self.annotated().is_some_and(|annotated| annotated.has_keypoints)
    }

    /// Masks of every sample; 0 if there are none.
    pub fn masks_per_sample(&self) -> usize {
        self.annotated().map_or(0, |annotated| annotated.masks_per_sample)
    }

    /// Boxes of a sample, in pixels of its image as stored, which is of `size`.
    pub fn boxes(&self, index: u64, size: Size) -> Vec<BoundingBox> {
        self.annotated().map_or(Vec::new(), |annotated| annotated.table.boxes(index as usize, size).collect())
    }

    /// Keypoints of a sample, in pixels of its image as stored.
    pub fn keypoints(&self, index: u64) -> &[Keypoint] {
        self.annotated().map_or(&[], |annotated| annotated.table.keypoints(index as usize))
    }

    /// A mask of a sample, encoded; empty if there is none of that number.
    pub fn mask(&self, index: u64, number: usize) -> &[u8] {
        let annotated = self.annotated().filter(|annotated| number < annotated.masks_per_sample);
        annotated.map_or(&[], |annotated| annotated.masks.encoded(index as usize * annotated.masks_per_sample + number))
    }

    /// Boxes of the sample that has the most.
    pub fn most_boxes(&self) -> usize {
        self.annotated().map_or(0, |annotated| annotated.table.most_boxes())
    }

    /// Keypoints of the sample that has the most.
    pub fn most_keypoints(&self) -> usize {
        self.annotated().map_or(0, |annotated| annotated.table.most_keypoints())
    }

    /// The first sample with a box that reaches beyond its image, by more than rounding, and how many such samples there are.
    pub fn boxes_beyond(&self) -> Option<(u64, u64)> {
        self.annotated().and_then(|annotated| annotated.beyond)
    }
}
