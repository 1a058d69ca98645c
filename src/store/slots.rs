use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use once_cell::race::OnceBox;

/// Bytes that may still be used, shared by whoever uses them.
#[derive(Debug, Default)]
pub(super) struct Room {
    left: AtomicU64,
    all: u64,
}

/// Decoded images of a split: a slot per sample, filled at most once and never emptied.
pub(super) struct Slots {
    /// One pointer each, read without a lock.
    images: Box<[OnceBox<Box<[u8]>>]>,
    room: Arc<Room>,
}

impl Room {
    pub(super) fn new(bytes: u64) -> Self {
        Room { left: AtomicU64::new(bytes), all: bytes }
    }

    /// Takes so many bytes, or none and says no.
    pub(super) fn take(&self, bytes: u64) -> bool {
        // Only the number itself is agreed on, so the weakest order does.
        self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(bytes)).is_ok()
    }

    /// Gives back what was taken.
    pub(super) fn give(&self, bytes: u64) {
        self.left.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(super) fn left(&self) -> u64 {
        self.left.load(Ordering::Relaxed)
    }

    /// Bytes at the beginning.
    pub(super) fn all(&self) -> u64 {
        self.all
    }
}

impl Slots {
    /// Bytes of memory of an empty slot.
    pub(super) const BYTES: usize = size_of::<OnceBox<Box<[u8]>>>();

    /// So many empty slots; with none, nothing is ever kept.
    pub(super) fn new(number: usize, room: Arc<Room>) -> Self {
        Slots { images: (0..number).map(|_| OnceBox::new()).collect(), room }
    }

    pub(super) fn len(&self) -> usize {
        self.images.len()
    }

    pub(super) fn get(&self, index: usize) -> Option<&[u8]> {
        self.images.get(index)?.get().map(|image| &**image)
    }

    /// Whether there is room for an image of `bytes` that is not kept yet.
    pub(super) fn has_room(&self, index: usize, bytes: u64) -> bool {
        index < self.images.len() && self.room.left() >= bytes
    }

    /// Keeps a copy of `pixels`, which take `bytes` with all that belongs to them, if there is room. Whether an image is kept.
    pub(super) fn keep(&self, index: usize, pixels: &[u8], bytes: u64) -> bool {
        let Some(slot) = self.images.get(index) else { return false };
        if slot.get().is_some() {
            return true;
        }
        // Before the memory is there, so that the sum is never above the room.
        if !self.room.take(bytes) {
            return false;
        }
        if slot.set(Box::new(pixels.into())).is_err() {
            // Another thread has just kept the same image.
            self.room.give(bytes);
        }
        true
    }

    pub(super) fn room(&self) -> &Room {
        &self.room
    }
}

impl std::fmt::Debug for Slots {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Slots({} of them, {} bytes left)", self.images.len(), self.room.left())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_is_one_pointer() {
        assert_eq!(Slots::BYTES, size_of::<usize>());
    }

    #[test]
    fn images_are_kept_until_the_room_is_used_up() {
        let room = Arc::new(Room::new(25));
        let (a, b) = (Slots::new(2, Arc::clone(&room)), Slots::new(1, Arc::clone(&room)));
        assert!(a.keep(1, &[1; 10], 10));
        assert!(a.keep(1, &[2; 10], 10), "kept already");
        assert!(b.keep(0, &[3; 10], 10));
        assert!(!a.keep(0, &[4; 10], 10));
        assert_eq!((a.get(0), a.get(1), b.get(0)), (None, Some(&[1; 10][..]), Some(&[3; 10][..])));
        assert_eq!((room.left(), room.all()), (5, 25));
        assert!(!Slots::new(0, room).keep(0, &[], 0));
    }
}
