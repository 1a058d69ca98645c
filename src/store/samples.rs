use std::sync::Arc;

use crate::header::Format;
use crate::image::Size;

use super::annotated::Annotated;
use super::files::Files;
use super::headers::{Headers, kept_bytes, pixel_bytes};
use super::keys::Keys;
use super::memory::Memory;
use super::slots::{Room, Slots};
use super::verdicts::{State, Verdicts};

/// Samples of a split, by index. What was loaded never changes; verdicts and decoded images are added while it is used, from
/// any number of threads.
///
/// Methods that take an index panic when it is not below [`Split::len`]: a bug of the caller.
#[derive(Debug)]
pub struct Split {
    loaded: Loaded,
    class_counts: Box<[u64]>,
    slots: Slots,
    max_pixels: u64,
}

/// A split as it is after loading. All parts have the same number of samples.
#[derive(Debug)]
pub(super) struct Loaded {
    pub(super) name: String,
    pub(super) keys: Keys,
    pub(super) files: Files,
    pub(super) headers: Headers,
    pub(super) verdicts: Verdicts,
    pub(super) annotated: Option<Annotated>,
}

impl Split {
    /// Bytes of memory of a sample beside its content and its key.
    pub(super) fn bytes_per_sample(keeps_decoded: bool) -> u64 {
        let slot = if keeps_decoded { Slots::BYTES } else { 0 };
        (Files::BYTES + Headers::BYTES + Verdicts::BYTES + slot) as u64
    }

    /// A split that keeps decoded images as long as `room` is left, or none without a room.
    pub(super) fn new(loaded: Loaded, classes: usize, max_pixels: u64, room: Option<Arc<Room>>) -> Self {
        let slots = match room {
            Some(room) => Slots::new(loaded.keys.len(), room),
            None => Slots::new(0, Arc::default()),
        };
        Split { class_counts: loaded.keys.class_counts(classes), loaded, slots, max_pixels }
    }

    /// `train`, `validation` or `test`.
    pub fn name(&self) -> &str {
        &self.loaded.name
    }

    /// Number of samples.
    pub fn len(&self) -> u64 {
        self.loaded.keys.len() as u64
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Path in the dataset.
    pub fn key(&self, index: u64) -> String {
        let (folder, file) = self.loaded.keys.parts(at(index));
        [folder, file].concat()
    }

    /// Class, an index into the classes of the dataset; -1 without one.
    pub fn label(&self, index: u64) -> i64 {
        self.loaded.keys.label(at(index))
    }

    /// The file's bytes; none if it was unreadable.
    pub fn encoded(&self, index: u64) -> &[u8] {
        self.loaded.files.encoded(at(index))
    }

    /// Size as stored, before any orientation is applied. None if the header is damaged.
    pub fn size(&self, index: u64) -> Option<Size> {
        self.loaded.headers.size(at(index))
    }

    /// Format by content. None if it is of none.
    pub fn format(&self, index: u64) -> Option<Format> {
        self.loaded.headers.format(at(index))
    }

    /// Whether it can be decoded, as far as is known.
    pub fn state(&self, index: u64) -> State {
        self.loaded.verdicts.state(at(index))
    }

    /// What is wrong with a sample that is damaged, too large or unreadable.
    pub fn cause(&self, index: u64) -> Option<String> {
        match (self.state(index), self.size(index)) {
            (State::TooLarge, Some(size)) => Some(format!("{size} is over the limit of {} pixels", self.max_pixels)),
            (State::Damaged | State::Unreadable, _) => self.loaded.verdicts.cause(at(index)),
            _ => None,
        }
    }

    /// Says that the sample was decoded whole and nothing was wrong. An earlier verdict stays.
    pub fn mark_sound(&self, index: u64) {
        self.loaded.verdicts.mark_sound(at(index));
    }

    /// Says that the sample can't be decoded whole. An earlier verdict stays.
    pub fn mark_damaged(&self, index: u64, cause: &str) {
        self.loaded.verdicts.mark_damaged(at(index), cause);
    }

    /// The decoded image, if it is kept: RGB, 8 bits, rows top down as stored (HWC), before any orientation is applied. Never
    /// waits.
    pub fn decoded(&self, index: u64) -> Option<&[u8]> {
        self.slots.get(at(index))
    }

    /// Whether a decoded image would be kept as things stand now.
    pub fn would_keep_decoded(&self, index: u64) -> bool {
        self.size(index).is_some_and(|size| self.slots.has_room(at(index), kept_bytes(size)))
    }

    /// Keeps a copy of the decoded image, in the form that [`Split::decoded`] returns. Returns whether one is kept: not if the
    /// mode or the budget forbids it, nor if `pixels` are not as many as the size says.
    pub fn keep_decoded(&self, index: u64, pixels: &[u8]) -> bool {
        self.size(index).is_some_and(|size| {
            pixels.len() as u64 == pixel_bytes(size) && self.slots.keep(at(index), pixels, kept_bytes(size))
        })
    }

    /// Smallest width and smallest height of the samples that could be read and are within the limit of pixels, each on its own.
    pub fn smallest(&self) -> Option<Size> {
        self.loaded.headers.smallest()
    }

    /// Largest width and largest height of the samples that could be read and are within the limit of pixels, each on its own.
    pub fn largest(&self) -> Option<Size> {
        self.loaded.headers.largest()
    }

    /// Bytes of the encoded samples, masks included.
    pub fn bytes(&self) -> u64 {
        self.loaded.files.content() + self.annotated().map_or(0, Annotated::content)
    }

    /// Samples of each class, by label.
    pub fn class_counts(&self) -> &[u64] {
        &self.class_counts
    }

    /// Number of samples in that state now.
    pub fn count(&self, state: State) -> u64 {
        self.with_state(state).count() as u64
    }

    /// Indices of the samples in that state now.
    pub fn with_state(&self, state: State) -> impl Iterator<Item = u64> {
        let states = self.loaded.verdicts.states();
        states.enumerate().filter(move |(_, own)| *own == state).map(|(index, _)| index as u64)
    }

    /// What is marked on its images, if anything is.
    pub(super) fn annotated(&self) -> Option<&Annotated> {
        self.loaded.annotated.as_ref()
    }

    /// What it takes, without decoded images: the splits of a dataset share their budget.
    pub(super) fn memory(&self) -> Memory {
        let index = index_bytes(&self.loaded.keys, self.class_counts.len(), self.slots.len() > 0);
        let (masks, annotations) = self.annotated().map_or((0, 0), Annotated::memory);
        Memory { encoded: self.loaded.files.memory() + masks, index: index + annotations, decoded_budget: 0 }
    }

    /// Bytes that all of its images would take decoded.
    pub(super) fn all_decoded_bytes(&self) -> u64 {
        self.loaded.headers.decoded_bytes()
    }

    /// Bytes that decoded images of its dataset take now.
    pub(super) fn decoded_bytes(&self) -> u64 {
        self.slots.room().all() - self.slots.room().left()
    }

    /// Bytes that decoded images of its dataset may take.
    pub(super) fn decoded_budget(&self) -> u64 {
        self.slots.room().all()
    }
}

/// Bytes of memory of a split beside the contents.
pub(super) fn index_bytes(keys: &Keys, classes: usize, keeps_decoded: bool) -> u64 {
    keys.bytes() + keys.len() as u64 * Split::bytes_per_sample(keeps_decoded) + (classes * size_of::<u64>()) as u64
}

/// A place in memory. One that memory can't have is above every length.
fn at(index: u64) -> usize {
    usize::try_from(index).unwrap_or(usize::MAX)
}
