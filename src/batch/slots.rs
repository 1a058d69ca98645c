use std::sync::atomic::{AtomicBool, Ordering};

use crate::tensor::Aligned;

/// The memory of a batch, cut into sections of equal rows that workers write at the same time, each row by one worker at a
/// time. No lock is held while a row is written, and nothing can be read before every writer is done.
#[derive(Debug)]
pub struct Slots {
    memory: Aligned,
    /// Start of the memory.
    start: *mut u8,
    rows: usize,
    sections: Vec<Section>,
    /// Whether a row is lent out right now, section by section.
    lent: Vec<AtomicBool>,
}

/// Where the rows of one tensor lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Section {
    /// Bytes from the start of the memory to the first row.
    pub offset: usize,
    /// Bytes of a row.
    pub row_bytes: usize,
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
    /// `rows` rows in each of `sections`, which come in the order of their offsets.
    ///
    /// # Panics
    /// If they overlap or do not fit: a bug of the caller.
    pub fn new(mut memory: Aligned, rows: usize, sections: Vec<Section>) -> Self {
        let ends = sections.iter().map(|s| rows.checked_mul(s.row_bytes).and_then(|all| all.checked_add(s.offset)));
        let next = sections.iter().skip(1).map(|s| s.offset).chain([memory.len()]);
        assert!(ends.zip(next).all(|(end, next)| end.is_some_and(|end| end <= next)), "{rows} rows of {sections:?}");
        let lent = (0..rows * sections.len()).map(|_| AtomicBool::new(false)).collect();
        let start = memory.bytes_mut().as_mut_ptr();
        Slots { memory, start, rows, sections, lent }
    }

    /// Lends a row of a section to one writer. None if it is lent already.
    #[allow(unsafe_code)]
    pub fn row(&self, section: usize, row: usize) -> Option<Row<'_>> {
        let Section { offset, row_bytes } = *self.sections.get(section)?;
        let lent = self.lent.get(section * self.rows + row).filter(|_| row < self.rows)?;
        if lent.swap(true, Ordering::Acquire) {
            return None;
        }
        // SAFETY: `new` checked that every section lies inside the memory and before the next one; the memory is neither moved nor
        // freed while `self` is borrowed; rows of a section do not overlap; this row was not lent, and is not lent again before the
        // `Row` made here is dropped. No reference to the memory as a whole is made here, only a raw pointer.
        let bytes = unsafe { std::slice::from_raw_parts_mut(self.start.add(offset + row * row_bytes), row_bytes) };
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
    fn rows_of_sections_are_written_by_many_threads_and_keep_apart() {
        let sections = vec![Section { offset: 0, row_bytes: 37 }, Section { offset: 3712, row_bytes: 5 }];
        let slots = Slots::new(Aligned::zeroed(3712 + 500), 100, sections);
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let slots = &slots;
                scope.spawn(move || {
                    for row in (0..100).filter(|row| row % 4 == thread) {
                        slots.row(0, row).expect("nobody else's").fill(row as u8);
                        slots.row(1, row).expect("nobody else's").fill(100 + row as u8);
                    }
                });
            }
        });
        let memory = slots.into_memory();
        assert!(memory.bytes()[..3700].chunks(37).enumerate().all(|(row, bytes)| bytes == [row as u8; 37]));
        assert!(memory.bytes()[3712..4212].chunks(5).enumerate().all(|(row, bytes)| bytes == [100 + row as u8; 5]));
    }

    #[test]
    fn a_row_is_lent_once_at_a_time() {
        let slots = Slots::new(Aligned::zeroed(64), 2, vec![Section { offset: 0, row_bytes: 32 }]);
        let first = slots.row(0, 0).expect("free");
        assert!(slots.row(0, 0).is_none() && slots.row(0, 1).is_some());
        assert!(slots.row(0, 2).is_none() && slots.row(1, 0).is_none(), "there are no others");
        drop(first);
        assert!(slots.row(0, 0).is_some());
    }

    #[test]
    #[should_panic(expected = "2 rows")]
    fn sections_that_overlap_are_a_bug() {
        let sections = vec![Section { offset: 0, row_bytes: 32 }, Section { offset: 32, row_bytes: 8 }];
        Slots::new(Aligned::zeroed(128), 2, sections);
    }
}
