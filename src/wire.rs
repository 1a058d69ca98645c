mod frame;
mod handover;

use std::sync::Arc;

use bytes::Bytes;
use feedline_proto::v1;
use prost::Message;

use crate::engine::{Batch, Lease, Request};
use crate::plan::Cursor;
pub use frame::{FrameError, Head, STREAM, framed, head, whole};
pub use handover::{KEY_BYTES, SOCKET_PREFIX, check, hand_over, reach, take_over};

/// A batch cut into the messages that carry it: the first has the header, each has a slice of the payload, none is copied. Or the one
/// message of a batch whose payload the client has by another way.
pub struct Parts {
    batch: Arc<Lease>,
    payload: Bytes,
    part_bytes: usize,
    offset: usize,
    header: Option<Bytes>,
    in_shared_memory: bool,
}

/// A payload that lives as long as the last message that refers to it.
struct Payload(Arc<Lease>);

impl AsRef<[u8]> for Payload {
    fn as_ref(&self) -> &[u8] {
        self.0.payload()
    }
}

impl Parts {
    /// The parts of `batch` for a stream of `request`; `repeated` if the stream had this very batch before.
    pub fn new(batch: Arc<Lease>, request: &Request, repeated: bool) -> Parts {
        let header = v1::BatchHeader { repeated_batch: repeated, ..header(&batch, request) }.encode_to_vec();
        Parts {
            payload: Bytes::from_owner(Payload(Arc::clone(&batch))),
            part_bytes: request.part_bytes as usize,
            offset: 0,
            header: Some(header.into()),
            in_shared_memory: false,
            batch,
        }
    }

    /// As [`Parts::new`], for a client that has been handed the [`file`](Batch::file) of the payload.
    pub fn in_shared_memory(batch: Arc<Lease>, request: &Request, repeated: bool) -> Parts {
        Parts { payload: Bytes::new(), in_shared_memory: true, ..Parts::new(batch, request, repeated) }
    }

    /// The batch.
    pub fn batch(&self) -> &Batch {
        &self.batch
    }

    /// Bytes of the payload that `part` brings, by whatever way.
    pub fn bytes(&self, part: &v1::BatchPart) -> usize {
        if part.in_shared_memory { self.batch.payload().len() } else { part.data.len() }
    }

    /// Whether its last part has been cut off.
    pub fn is_over(&self) -> bool {
        self.header.is_none() && self.offset >= self.payload.len()
    }
}

impl Iterator for Parts {
    type Item = v1::BatchPart;

    fn next(&mut self) -> Option<v1::BatchPart> {
        if self.is_over() {
            return None;
        }
        let header = self.header.take();
        let start = self.offset;
        self.offset = (start + self.part_bytes).min(self.payload.len());
        Some(v1::BatchPart {
            header_crc32c: header.as_ref().map(|header| feedline_proto::crc32c::of(header)),
            timings: header.as_ref().map(|_| v1::Timings { shared_by: self.batch.shared_by, ..self.batch.timings }),
            header: header.unwrap_or_default(),
            offset: start as u64,
            in_shared_memory: self.in_shared_memory,
            data: self.payload.slice(start..self.offset),
        })
    }
}

/// The header of a batch: equal for every stream of the same rows, form and stride.
fn header(batch: &Batch, request: &Request) -> v1::BatchHeader {
    let recipe = &batch.recipe;
    let in_tensor = batch.tensors.iter().any(|tensor| tensor.name == "sample");
    let next = batch.cursor.advanced(u64::from(request.stride), recipe.plan.steps_per_epoch());
    let Cursor { epoch, step } = next.unwrap_or(batch.cursor);
    v1::BatchHeader {
        epoch: batch.cursor.epoch,
        step: batch.cursor.step,
        next: next.map(|_| v1::Cursor {
            epoch,
            step,
            dataset_fingerprint: recipe.dataset.fingerprint.clone(),
            spec_fingerprint: recipe.fingerprint.clone(),
        }),
        tensors: batch.tensors.clone(),
        payload_bytes: batch.payload().len() as u64,
        payload_crc32c: Some(batch.crc32c),
        samples: if in_tensor { Vec::new() } else { batch.samples.clone() },
        first_row: batch.first_row,
        global_rows: batch.global_rows,
        wrapped_rows: batch.wrapped_rows.clone(),
        substitutions: batch.substitutions.clone(),
        repeated_batch: false,
    }
}
