use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::{Bytes, BytesMut};
use once_cell::race::OnceBox;

use crate::tensor::ask_for_huge;

/// Bytes that may still be used, shared by whoever uses them.
#[derive(Debug, Default)]
pub(super) struct Room {
    left: AtomicU64,
    all: u64,
}

/// Decoded images of a split: a slot per sample, filled at most once and never emptied.
pub(super) struct Slots {
    /// One pointer each, read without a lock.
    images: Box<[OnceBox<Bytes>]>,
    room: Arc<Room>,
    /// What is left of the block that images are put into.
    block: Mutex<BytesMut>,
    /// Bytes of a block, if there is room for so many.
    block_bytes: usize,
    /// Whoever fills a slot has the lock of its number: two that came with the same image would put it into the block twice, where
    /// nothing can be taken back.
    filling: [Mutex<()>; 64],
}

/// Images stand close together in blocks of this size, or as large as the room is: alone, each would be rounded up to the next size that the
/// allocator has, by a sixth of all memory. A page of a block takes memory when it is first written to.
const BLOCK_BYTES: usize = 256 << 20;

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
    pub(super) const BYTES: usize = size_of::<OnceBox<Bytes>>();

    /// So many empty slots; with none, nothing is ever kept.
    pub(super) fn new(number: usize, room: Arc<Room>) -> Self {
        Slots::in_blocks(number, room, BLOCK_BYTES)
    }

    fn in_blocks(number: usize, room: Arc<Room>, block_bytes: usize) -> Self {
        let filling = std::array::from_fn(|_| Mutex::new(()));
        Slots {
            images: (0..number).map(|_| OnceBox::new()).collect(),
            room,
            block: Mutex::default(),
            block_bytes,
            filling,
        }
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
        let _filling = self.filling[index % self.filling.len()].lock().unwrap_or_else(PoisonError::into_inner);
        if slot.get().is_some() {
            return true;
        }
        // Before the memory is there, so that the sum is never above the room.
        if !self.room.take(bytes) {
            return false;
        }
        let mut copy = self.place(pixels.len());
        copy.copy_from_slice(pixels);
        slot.set(Box::new(copy.freeze())).is_ok()
    }

    /// Memory for an image of `length` bytes.
    fn place(&self, length: usize) -> BytesMut {
        if length > self.block_bytes / 16 {
            // What is left of a block is lost when an image does not fit, so none may be large beside it.
            return BytesMut::zeroed(length);
        }
        let mut block = self.block.lock().unwrap_or_else(PoisonError::into_inner);
        if block.len() < length {
            let most = self.room.left().saturating_add(length as u64);
            *block = BytesMut::zeroed(usize::try_from(most).unwrap_or(usize::MAX).min(self.block_bytes));
            ask_for_huge(&mut block[..]);
        }
        block.split_to(length)
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

    #[test]
    fn images_of_any_size_are_kept_whole_whatever_stands_beside_them() {
        let sizes = [1, 3 << 10, 0, 5 << 10, 3 << 10, 100, (4 << 10) + 1, 2 << 10];
        let images: Vec<Vec<u8>> = (0..96_usize).map(|at| vec![at as u8; sizes[at % sizes.len()]]).collect();
        let bytes = images.iter().map(|image| image.len() as u64).sum();
        // More than one block, the last of which is as large as the room that is left; and images that are too large for one.
        let slots = Slots::in_blocks(images.len(), Arc::new(Room::new(bytes)), 64 << 10);
        std::thread::scope(|scope| {
            for half in 0..2 {
                let (slots, images) = (&slots, &images);
                scope.spawn(move || {
                    for (at, image) in images.iter().enumerate().skip(half).step_by(2) {
                        assert!(slots.keep(at, image, image.len() as u64));
                    }
                });
            }
        });
        for (at, image) in images.iter().enumerate() {
            assert!(slots.get(at).is_some_and(|kept| kept == &image[..]), "image {at}");
        }
    }
}
