use std::os::fd::BorrowedFd;
use std::sync::Arc;
use std::time::Instant;

use feedline_proto::v1;

use super::memory::Buffer;
use super::recipe::Recipe;
use crate::plan::Cursor;
use crate::tensor::Tensor;

/// A finished batch: the rows of one rank at one step, in one form. Shared by all sessions that asked for it.
#[derive(Debug)]
pub struct Batch {
    /// What it is a batch of.
    pub recipe: Arc<Recipe>,
    /// Epoch and step.
    pub cursor: Cursor,
    /// Its tensors, in the order of their offsets.
    pub tensors: Vec<Tensor>,
    /// Index in the split of each row's sample; of a substitute, its own.
    pub samples: Vec<u64>,
    /// Which row of the global batch its first one is.
    pub first_row: u32,
    /// Rows of the global batch.
    pub global_rows: u32,
    /// Rows of this batch that the end of the epoch repeated.
    pub wrapped_rows: Vec<u32>,
    /// Rows whose sample was damaged and replaced.
    pub substitutions: Vec<v1::Substitution>,
    /// CRC32C of the payload.
    pub crc32c: u32,
    /// How long it took.
    pub timings: v1::Timings,
    /// Since when it is there to be sent.
    pub finished: Instant,
    pub(super) buffer: Buffer,
    pub(super) payload_bytes: usize,
}

impl Batch {
    /// Its tensors back to back, padding included.
    pub fn payload(&self) -> &[u8] {
        &self.buffer.bytes()[..self.payload_bytes]
    }

    /// The file whose first bytes the payload is, if it lies in shared memory.
    pub fn file(&self) -> Option<BorrowedFd<'_>> {
        self.buffer.file()
    }

    /// Rows.
    pub fn rows(&self) -> usize {
        self.samples.len()
    }
}
