use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::models::Models;
use crate::augment::resources::{Model, Picture, Resources, Unavailable};
use crate::decode::{self, Decoder, Limits};
use crate::store::{Split, State};

/// What the ops of every spec may ask for, and what limits that.
#[derive(Default)]
pub(super) struct Supplies {
    limits: Limits,
    /// Held while references are decoded: whoever describes many specs at once decodes one image at a time, and their memory is
    /// that of one spec.
    turn: Mutex<()>,
    models: Models,
}

impl Supplies {
    pub(super) fn new(limits: Limits, models: Models) -> Self {
        Supplies { limits, turn: Mutex::default(), models }
    }

    /// What the ops of one spec get, while its pipeline is built.
    pub(super) fn of<'a>(&'a self, samples: &'a Split, exif_orientation: bool) -> FromSplit<'a> {
        FromSplit {
            supplies: self,
            samples,
            exif_orientation,
            turn: RefCell::default(),
            pictures: RefCell::default(),
            decoded: Cell::default(),
            kept: Cell::default(),
        }
    }
}

/// Images of a split for the ops of one spec.
pub(super) struct FromSplit<'a> {
    supplies: &'a Supplies,
    samples: &'a Split,
    exif_orientation: bool,
    turn: RefCell<Option<MutexGuard<'a, ()>>>,
    /// Those that were asked for, since several ops may ask for the same.
    pictures: RefCell<BTreeMap<u64, Arc<Picture>>>,
    /// Bytes of those.
    decoded: Cell<u64>,
    kept: Cell<u64>,
}

impl FromSplit<'_> {
    /// Bytes that the ops keep as long as their pipeline lives.
    pub(super) fn kept(&self) -> u64 {
        self.kept.get()
    }

    fn decode(&self, sample: u64) -> Result<Picture, Unavailable> {
        let samples = self.samples;
        let bad = |what: String| {
            let found = format!("sample {sample} of {} ({}), {what}", samples.name(), samples.key(sample));
            Unavailable::new(found, "a sample that can be decoded")
        };
        let cause = samples.cause(sample).unwrap_or_default();
        match samples.state(sample) {
            State::Damaged => return Err(bad(format!("which is damaged: {cause}"))),
            State::TooLarge => return Err(bad(format!("which is too large: {cause}"))),
            State::Unreadable => return Err(bad(format!("which could not be read: {cause}"))),
            State::Unknown | State::Sound => {}
        }
        let bytes = samples.size(sample).map_or(0, |size| size.area().saturating_mul(3));
        let decoded = self.decoded.get().saturating_add(bytes);
        if decoded > MOST_BYTES {
            let expected = format!("at most {MOST_BYTES} bytes of all references, decoded");
            return Err(Unavailable::new(format!("sample {sample}, with which there are {decoded} bytes"), expected));
        }
        let mut picture = match (samples.decoded(sample), samples.size(sample)) {
            (Some(pixels), Some(size)) => Picture { size, pixels: pixels.to_vec() },
            _ => match Decoder::new(self.supplies.limits).decode(samples.encoded(sample)) {
                Ok(decoded) => {
                    samples.mark_sound(sample);
                    Picture { size: decoded.size, pixels: decoded.pixels }
                }
                Err(error) => {
                    if !error.is_limit() {
                        samples.mark_damaged(sample, &error.to_string());
                    }
                    return Err(bad(format!("which can't be decoded: {error}")));
                }
            },
        };
        if self.exif_orientation {
            let orientation = decode::orientation(samples.encoded(sample));
            let (size, pixels) = decode::orient(picture.size, &picture.pixels, orientation);
            picture = Picture { size, pixels };
        }
        self.decoded.set(decoded);
        Ok(picture)
    }
}

impl Resources for FromSplit<'_> {
    fn picture(&self, sample: u64) -> Result<Arc<Picture>, Unavailable> {
        if sample >= self.samples.len() {
            let expected = format!("a sample's index, 0 to {}", self.samples.len().saturating_sub(1));
            return Err(Unavailable::new(sample, expected));
        }
        let mut pictures = self.pictures.borrow_mut();
        if let Some(picture) = pictures.get(&sample) {
            return Ok(Arc::clone(picture));
        }
        if pictures.len() >= MOST_REFERENCES {
            let found = format!("sample {sample}, the reference number {}", MOST_REFERENCES + 1);
            return Err(Unavailable::new(
                found,
                format!("at most {MOST_REFERENCES} different ones in all ops of a spec"),
            ));
        }
        self.turn.borrow_mut().get_or_insert_with(|| self.supplies.turn.lock().unwrap_or_else(PoisonError::into_inner));
        let picture = Arc::new(self.decode(sample)?);
        pictures.insert(sample, Arc::clone(&picture));
        Ok(picture)
    }

    fn model(&self, name: &str) -> Result<Arc<Model>, Unavailable> {
        self.supplies.models.get(name)
    }

    fn keep(&self, bytes: u64) -> Result<(), Unavailable> {
        let kept = self.kept.get().saturating_add(bytes);
        if kept > MOST_BYTES {
            let expected = format!("at most {MOST_BYTES} bytes that all ops of a spec keep");
            return Err(Unavailable::new(format!("one of those that would take {kept} bytes"), expected));
        }
        self.kept.set(kept);
        Ok(())
    }
}

/// Bytes of all references of a spec while it is resolved, and of what its ops keep of them.
const MOST_BYTES: u64 = 256 << 20;
/// Samples that the ops of a spec may refer to.
const MOST_REFERENCES: usize = 64;
