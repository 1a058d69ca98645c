use std::sync::atomic::{AtomicBool, Ordering};

use crate::tensor::Aligned;

/// The memory of a batch, cut into equal rows at a fixed distance that workers write at the same time, each row by one worker
/// at a time. No lock is held while a row is written, and nothing can be read before every writer is done.
#[derive(Debug)]
pub struct Slots {
    memory: Aligned,
    /// Start of the memory.
    start: *mut u8,
    row_bytes: usize,
    /// Whether a row is lent out right now.
    lent: Vec<AtomicBool>,
}

// SAFETY: the only way to the memory through a shared reference is `row`, which lends disjoint byte ranges, and each of them to
// one caller at a time (`lent` is swapped before).
#[allow(unsafe_code)]
unsafe impl Sync for Slots {}
// SAFETY: the pointer leads to memory that the same value owns.
#[allow(unsafe_code)]
unsafe impl Send for Slots {}

/// A row that is being written; the row can be lent again when this is dropped.
#[derive(Debug)]
pub struct Row<'a> {
    bytes: &'a mut [u8],
    lent: &'a AtomicBool,
}

impl std::ops::Deref for Row<'_> {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        self.bytes
    }
}

impl std::ops::DerefMut for Row<'_> {
    fn deref_mut(&mut self) -> &mut [u8] {
        self.bytes
    }
}

impl Drop for Row<'_> {
    fn drop(&mut self) {
        self.lent.store(false, Ordering::Release);
    }
}

impl Slots {
    /// `rows` rows of `row_bytes` bytes at the start of `memory`.
    ///
    /// # Panics
    /// If they do not fit: a bug of the caller.
    pub fn new(mut memory: Aligned, rows: usize, row_bytes: usize) -> Self {
        assert!(rows.checked_mul(row_bytes).is_some_and(|all| all <= memory.len()), "{rows} rows of {row_bytes} bytes");
        let lent = (0..rows).map(|_| AtomicBool::new(false)).collect();
        let start = memory.bytes_mut().as_mut_ptr();
        Slots { memory, start, row_bytes, lent }
    }

    /// Lends a row to one writer. None if it is lent already.
    #[allow(unsafe_code)]
    pub fn row(&self, row: usize) -> Option<Row<'_>> {
        let lent = self.lent.get(row)?;
        if lent.swap(true, Ordering::Acquire) {
            return None;
        }
        // SAFETY: `new` checked that every row lies inside the memory, which is neither moved nor freed while `self` is borrowed;
        // rows do not overlap; this row was not lent, and is not lent again before the `Row` made here is dropped. No
        // reference to the memory as a whole is made here, only a raw pointer.
        let bytes = unsafe { std::slice::from_raw_parts_mut(self.start.add(row * self.row_bytes), self.row_bytes) };
        Some(Row { bytes, lent })
    }

    /// The whole memory, when no writer is left.
    pub fn into_memory(self) -> Aligned {
        self.memory
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_written_by_many_threads_and_keep_apart() {
        let slots = Slots::new(Aligned::zeroed(100 * 37), 100, 37);
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let slots = &slots;
                scope.spawn(move || {
                    for row in (0..100).filter(|row| row % 4 == thread) {
                        slots.row(row).expect("nobody else's").fill(row as u8);
                    }
                });
            }
        });
        let memory = slots.into_memory();
        assert!(memory.bytes()[..3700].chunks(37).enumerate().all(|(row, bytes)| bytes == [row as u8; 37]));
    }

    #[test]
    fn a_row_is_lent_once_at_a_time() {
        let slots = Slots::new(Aligned::zeroed(64), 2, 32);
        let first = slots.row(0).expect("free");
        assert!(slots.row(0).is_none() && slots.row(1).is_some() && slots.row(2).is_none());
        drop(first);
        assert!(slots.row(0).is_some());
    }
}
