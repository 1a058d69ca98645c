use std::sync::{Arc, Mutex, PoisonError};

use feedline_proto::tensor::{TensorError, check_crc, check_header};
use feedline_proto::v1::{BatchHeader, BatchPart, Tensor, Timings};
use prost::Message;

use crate::tensor::{Aligned, View};
use crate::wire::FrameError;

/// A batch as it arrived, checked.
#[derive(Debug)]
pub struct Batch {
    /// What it is.
    pub header: BatchHeader,
    /// How long the server took.
    pub timings: Timings,
    payload: Payload,
}

/// Memory that goes back to where the next batch takes it from.
#[derive(Debug)]
struct Payload {
    memory: Aligned,
    spare: Spare,
}

impl Drop for Payload {
    fn drop(&mut self) {
        self.spare.give(std::mem::take(&mut self.memory));
    }
}

/// Memory of batches that are gone, for those to come: fresh memory costs a page fault per 4 KiB.
#[derive(Clone, Debug, Default)]
struct Spare(Arc<Mutex<Vec<Aligned>>>);

/// Most buffers that lie about: a client has a batch in hand, one on its way, and perhaps two ahead.
const MOST_SPARE: usize = 4;

impl Spare {
    /// At least `bytes` bytes of any content.
    fn take(&self, bytes: usize) -> Aligned {
        let mut spare = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let fits = |memory: &Aligned| memory.len() >= bytes && memory.len() <= bytes + bytes / 4 + 4096;
        let found = spare.iter().position(fits).map(|at| spare.swap_remove(at));
        drop(spare);
        found.unwrap_or_else(|| Aligned::zeroed(bytes))
    }

    fn give(&self, memory: Aligned) {
        let mut spare = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if spare.len() == MOST_SPARE {
            spare.remove(0);
        }
        if !memory.is_empty() {
            spare.push(memory);
        }
    }
}

impl Batch {
    /// Its tensors back to back, each at an address that is a multiple of 64.
    pub fn payload(&self) -> &[u8] {
        &self.payload.memory.bytes()[..self.header.payload_bytes as usize]
    }

    /// The payload, to be changed in place.
    pub fn payload_mut(&mut self) -> &mut [u8] {
        &mut self.payload.memory.bytes_mut()[..self.header.payload_bytes as usize]
    }

    /// The tensor of a name, with its bytes.
    pub fn tensor(&self, name: &str) -> Option<(&Tensor, &[u8])> {
        let tensor = self.header.tensors.iter().find(|tensor| tensor.name == name)?;
        Some((tensor, &self.payload()[tensor.offset as usize..(tensor.offset + tensor.bytes) as usize]))
    }

    /// Sample index of each row, whether it travelled in the header or as a tensor.
    pub fn samples(&self) -> Vec<u64> {
        match self.tensor("sample") {
            Some((_, bytes)) => bytes.as_chunks::<8>().0.iter().map(|x| u64::from_le_bytes(*x)).collect(),
            None => self.header.samples.clone(),
        }
    }
}

/// What is wrong with a part.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PartError {
    /// A checksum or a tensor's place.
    #[error(transparent)]
    Tensor(#[from] TensorError),
    /// It is no part.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// The header can't be read.
    #[error("a header that is no BatchHeader: {0}")]
    Header(#[from] prost::DecodeError),
    /// A part is missing, comes twice or is too long.
    #[error("a part at {found}, expected one at {expected}")]
    Offset {
        /// Where it says that it begins.
        found: u64,
        /// Where the one before it ended.
        expected: u64,
    },
    /// The batch is longer than any that was described.
    #[error("a payload of {found} bytes, at most {expected} were described")]
    Length {
        /// Bytes announced by the header.
        found: u64,
        /// Most bytes by the description.
        expected: u64,
    },
    /// The shared memory is shorter than the payload that lies there.
    #[error("a payload of {expected} bytes in {found} bytes of shared memory")]
    Memory {
        /// Bytes of the memory.
        found: u64,
        /// Bytes of the payload.
        expected: u64,
    },
    /// A header came before all bytes of the batch before it.
    #[error("a batch that begins before the one before it was whole")]
    Early,
    /// A batch's first part has no header.
    #[error("a batch that begins without header")]
    Headless,
}

/// Puts batches together from their parts, and checks each. After an error it is of no use any more.
#[derive(Debug)]
pub struct Assembler {
    /// Longest payload that was described.
    most_bytes: u64,
    partial: Option<Partial>,
    spare: Spare,
}

/// A batch of which the first bytes are there.
#[derive(Debug)]
struct Partial {
    batch: Batch,
    filled: usize,
    /// CRC32C of those.
    crc32c: u32,
}

impl Assembler {
    /// For batches of at most `most_bytes` bytes: [`v1::DescribeResponse::payload_bytes`](feedline_proto::v1::DescribeResponse).
    pub fn new(most_bytes: u64) -> Assembler {
        Assembler { most_bytes, partial: None, spare: Spare::default() }
    }

    /// Takes the next part; returns the batch that it completes.
    ///
    /// # Errors
    /// [`PartError`], when the part breaks the contract or a checksum.
    pub fn push(&mut self, part: &BatchPart) -> Result<Option<Batch>, PartError> {
        self.begin(part, part.data.len())?;
        self.fill(&part.data)
    }

    /// Takes all of the next part but its data, which is so many bytes long and comes with [`fill`](Self::fill), whatever `part.data`
    /// is.
    ///
    /// # Errors
    /// As [`push`](Self::push).
    pub(super) fn begin(&mut self, part: &BatchPart, bytes: usize) -> Result<(), PartError> {
        if !part.header.is_empty() {
            if self.partial.is_some() {
                return Err(PartError::Early);
            }
            check_crc("header", &part.header, part.header_crc32c.unwrap_or(0))?;
            let header = BatchHeader::decode(part.header.clone())?;
            check_header(&header)?;
            if header.payload_bytes > self.most_bytes {
                return Err(PartError::Length { found: header.payload_bytes, expected: self.most_bytes });
            }
            let memory = self.spare.take(header.payload_bytes as usize);
            let (timings, payload) = (part.timings.unwrap_or_default(), Payload { memory, spare: self.spare.clone() });
            self.partial = Some(Partial { batch: Batch { header, timings, payload }, filled: 0, crc32c: 0 });
        }
        let Some(Partial { batch, filled, .. }) = &self.partial else { return Err(PartError::Headless) };
        let (found, expected) = (part.offset, *filled as u64);
        if found != expected || found.saturating_add(bytes as u64) > batch.header.payload_bytes {
            return Err(PartError::Offset { found, expected });
        }
        Ok(())
    }

    /// Takes the next bytes of the part that has begun; returns the batch that they complete.
    ///
    /// # Errors
    /// As [`push`](Self::push).
    pub(super) fn fill(&mut self, data: &[u8]) -> Result<Option<Batch>, PartError> {
        let Some(mut partial) = self.partial.take() else { return Err(PartError::Headless) };
        let found = (partial.filled + data.len()) as u64;
        let expected = partial.batch.header.payload_bytes;
        if found > expected {
            return Err(PartError::Length { found, expected });
        }
        partial.fill(data.len(), |at, place| place.copy_from_slice(&data[at..at + place.len()]));
        if found < expected {
            self.partial = Some(partial);
            return Ok(None);
        }
        partial.checked().map(Some)
    }

    /// Takes the whole payload of the batch that has begun from where `memory` begins.
    ///
    /// # Errors
    /// As [`push`](Self::push).
    pub(super) fn fill_from(&mut self, memory: &View) -> Result<Batch, PartError> {
        let Some(mut partial) = self.partial.take() else { return Err(PartError::Headless) };
        let (bytes, there) = (partial.batch.header.payload_bytes - partial.filled as u64, memory.len() as u64);
        if bytes > there {
            return Err(PartError::Memory { found: there, expected: bytes });
        }
        partial.fill(bytes as usize, |at, place| memory.copy(at, place));
        partial.checked()
    }
}

impl Partial {
    /// Has the next `bytes` bytes written by `write`, which gets their places piece by piece, each with how many came before it.
    fn fill(&mut self, bytes: usize, write: impl Fn(usize, &mut [u8])) {
        let place = &mut self.batch.payload.memory.bytes_mut()[self.filled..self.filled + bytes];
        for (index, piece) in place.chunks_mut(BLOCK).enumerate() {
            write(index * BLOCK, piece);
            self.crc32c = feedline_proto::crc32c::append(self.crc32c, piece);
        }
        self.filled += bytes;
    }

    /// The batch, if its checksum is right.
    fn checked(self) -> Result<Batch, PartError> {
        let (found, expected) = (self.crc32c, self.batch.header.payload_crc32c.unwrap_or(0));
        if found == expected {
            return Ok(self.batch);
        }
        Err(TensorError::Checksum { what: "payload", found, expected }.into())
    }
}

/// Bytes that are copied and then checked while they are in the processor's first cache.
const BLOCK: usize = 16 << 10;

#[cfg(test)]
mod tests {
    use feedline_proto::tensor::lay_out;
    use feedline_proto::v1::Dtype;

    use super::*;

    fn parts() -> Vec<BatchPart> {
        let mut tensors =
            vec![Tensor { name: "image".into(), dtype: Dtype::Uint8.into(), shape: vec![200], ..Default::default() }];
        let payload_bytes = lay_out(&mut tensors).expect("small");
        let payload: Vec<u8> = (0..payload_bytes).map(|x| if x < 200 { x as u8 } else { 0 }).collect();
        let payload_crc32c = Some(feedline_proto::crc32c::of(&payload));
        let header = BatchHeader { tensors, payload_bytes, payload_crc32c, ..Default::default() }.encode_to_vec();
        let cut = |start: usize, end: usize, header: Vec<u8>| BatchPart {
            header_crc32c: (!header.is_empty()).then(|| feedline_proto::crc32c::of(&header)),
            header: header.into(),
            offset: start as u64,
            data: payload[start..end].to_vec().into(),
            ..Default::default()
        };
        vec![cut(0, 100, header), cut(100, 256, Vec::new())]
    }

    fn all(parts: &[BatchPart]) -> Result<Option<Batch>, PartError> {
        let mut assembler = Assembler::new(1 << 20);
        parts.iter().try_fold(None, |_, part| assembler.push(part))
    }

    #[test]
    fn parts_make_an_aligned_batch() {
        let batch = all(&parts()).expect("sound").expect("whole");
        let (tensor, bytes) = batch.tensor("image").expect("there");
        assert_eq!((tensor.shape.as_slice(), bytes[199]), (&[200][..], 199));
        assert_eq!(batch.payload().as_ptr() as usize % 64, 0);
    }

    #[test]
    fn memory_of_a_batch_that_is_gone_is_used_again() {
        let mut assembler = Assembler::new(1 << 20);
        let mut whole =
            || parts().iter().try_fold(None, |_, part| assembler.push(part)).expect("sound").expect("whole");
        let first = whole();
        let address = first.payload().as_ptr();
        drop(first);
        let (second, third) = (whole(), whole());
        assert_eq!(second.payload().as_ptr(), address);
        assert_ne!(third.payload().as_ptr(), address);
    }

    #[test]
    fn every_damage_is_seen() {
        let spoilt = |spoil: fn(&mut Vec<BatchPart>)| {
            let mut parts = parts();
            spoil(&mut parts);
            all(&parts).expect_err("damage").to_string()
        };
        assert!(spoilt(|parts| parts[0].header = vec![9; 30].into()).contains("header"));
        assert!(spoilt(|parts| parts[1].data = vec![1; 156].into()).contains("payload"));
        assert!(spoilt(|parts| parts[1].offset = 99).contains("at 99"));
        assert!(spoilt(|parts| drop(parts.remove(0))).contains("without header"));
        assert!(spoilt(|parts| parts[1] = parts[0].clone()).contains("before the one before"));
        let mut small = Assembler::new(100);
        assert!(small.push(&parts()[0]).expect_err("too long").to_string().contains("at most 100"));
    }
}
