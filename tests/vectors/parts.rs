//! Sound and damaged messages, and what a client has to make of each.

use feedline::client::{Assembler, PartError};
use feedline_proto::tensor::{TensorError, lay_out};
use feedline_proto::v1::{BatchHeader, BatchPart, Dtype, Tensor};
use prost::Message;
use serde::{Deserialize, Serialize};

use crate::{Expected, base64};

/// Messages of one stream, and what becomes of them.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Case {
    name: String,
    /// What `Describe` said of the longest payload, in bytes.
    most_bytes: u64,
    /// `BatchPart`s, serialized, in base64.
    parts: Vec<String>,
    /// Batches that are whole before anything is wrong.
    batches: Vec<Expected>,
    /// What is wrong: header_checksum, payload_checksum, header (no BatchHeader), tensor (misplaced or of an unknown dtype), offset
    /// (a part is missing, doubled or too long), length (longer than described), early (a header within a batch), headless. Null:
    /// nothing is.
    pub(crate) error: Option<String>,
}

const MOST: u64 = 4096;

/// A batch of step `step`, in parts of 100 bytes; `change` does what it likes to the header.
fn batch(step: u64, change: impl FnOnce(&mut BatchHeader)) -> Vec<BatchPart> {
    let tensor = |name: &str, dtype: Dtype, shape: &[u64]| Tensor {
        name: name.into(),
        dtype: dtype.into(),
        shape: shape.to_vec(),
        ..Default::default()
    };
    let mut tensors = vec![
        tensor("image", Dtype::Uint8, &[2, 5, 7, 3]),
        tensor("label", Dtype::Int64, &[2]),
        tensor("boxes", Dtype::Fp32, &[0, 4]),
    ];
    let payload_bytes = lay_out(&mut tensors).expect("small");
    let mut payload: Vec<u8> = vec![0; payload_bytes as usize];
    for (at, byte) in payload.iter_mut().enumerate().take(210) {
        *byte = (at as u64 * 7 + step) as u8;
    }
    let label = tensors[1].offset as usize;
    payload[label..label + 8].copy_from_slice(&3_i64.to_le_bytes());
    payload[label + 8..label + 16].copy_from_slice(&(-1_i64).to_le_bytes());
    let payload_crc32c = Some(feedline_proto::crc32c::of(&payload));
    let samples = vec![5, 1];
    let mut header =
        BatchHeader { step, tensors, payload_bytes, payload_crc32c, samples, global_rows: 2, ..Default::default() };
    change(&mut header);
    let header = header.encode_to_vec();
    let parts = payload.chunks(100).enumerate().map(|(index, data)| BatchPart {
        offset: index as u64 * 100,
        data: data.to_vec().into(),
        header_crc32c: (index == 0).then(|| feedline_proto::crc32c::of(&header)),
        header: if index == 0 { header.clone().into() } else { Default::default() },
        ..Default::default()
    });
    parts.collect()
}

fn sound(step: u64) -> Vec<BatchPart> {
    batch(step, |_| {})
}

/// The parts of batch 0 after `change`.
fn changed(change: impl FnOnce(&mut Vec<BatchPart>)) -> Vec<BatchPart> {
    let mut parts = sound(0);
    change(&mut parts);
    parts
}

fn flip(bytes: &mut bytes::Bytes, at: usize) {
    let mut changed = bytes.to_vec();
    changed[at] ^= 0x10;
    *bytes = changed.into();
}

pub(crate) fn all() -> Vec<Case> {
    let empty = batch(0, |header| {
        *header = BatchHeader { payload_crc32c: Some(0), ..Default::default() };
    });
    let cases = [
        ("two batches", [sound(0), sound(1)].concat()),
        (
            "a batch without bytes is whole with its header",
            changed(|parts| {
                *parts = vec![BatchPart { data: Default::default(), ..empty[0].clone() }];
            }),
        ),
        (
            "a part of no bytes",
            changed(|parts| {
                let nothing = BatchPart { offset: 100, ..Default::default() };
                parts.insert(1, nothing);
            }),
        ),
        ("a bit of the payload is wrong", changed(|parts| flip(&mut parts[1].data, 50))),
        ("a bit of the padding is wrong", changed(|parts| flip(&mut parts[2].data, 30))),
        ("a bit of the header is wrong", changed(|parts| flip(&mut parts[0].header, 3))),
        ("the header's checksum is missing", changed(|parts| parts[0].header_crc32c = None)),
        ("the payload's checksum is missing", batch(0, |header| header.payload_crc32c = None)),
        ("a part is missing", changed(|parts| drop(parts.remove(1)))),
        (
            "a part comes twice",
            changed(|parts| {
                let part = parts[1].clone();
                parts.insert(1, part);
            }),
        ),
        ("two parts are exchanged", changed(|parts| parts.swap(1, 2))),
        (
            "a part is longer than what is left",
            changed(|parts| {
                let last = parts.len() - 1;
                parts[last].data = vec![0; 200].into();
            }),
        ),
        ("an offset near the end of 64 bits", changed(|parts| parts[1].offset = u64::MAX)),
        ("a batch begins within another", [sound(0)[..2].to_vec(), sound(1)].concat()),
        ("a stream begins within a batch", changed(|parts| drop(parts.remove(0)))),
        (
            "a header that is no message",
            changed(|parts| {
                parts[0].header = vec![0xff; 9].into();
                parts[0].header_crc32c = Some(feedline_proto::crc32c::of(&[0xff; 9]));
            }),
        ),
        ("a payload longer than was described", batch(0, |header| header.payload_bytes = MOST + 64)),
        ("a tensor reaches beyond the payload", batch(0, |header| header.tensors[2].offset = 1 << 40)),
        ("a tensor lies across another", batch(0, |header| header.tensors[1].offset = 64)),
        ("a tensor is not aligned", batch(0, |header| header.tensors[1].offset += 8)),
        ("a tensor's length is not that of its shape", batch(0, |header| header.tensors[1].shape = vec![3])),
        ("a shape beyond 64 bits", batch(0, |header| header.tensors[0].shape = vec![1 << 33, 1 << 33])),
        ("an unknown dtype", batch(0, |header| header.tensors[0].dtype = 99)),
    ];
    cases.into_iter().map(|(name, parts)| case(name, &parts)).collect()
}

fn case(name: &str, parts: &[BatchPart]) -> Case {
    let mut assembler = Assembler::new(MOST);
    let (mut batches, mut error) = (Vec::new(), None);
    for part in parts {
        match assembler.push(part) {
            Ok(batch) => batches.extend(batch.as_ref().map(Expected::of)),
            Err(found) => {
                error = Some(kind(&found).to_owned());
                break;
            }
        }
    }
    let parts = parts.iter().map(|part| base64(&part.encode_to_vec())).collect();
    Case { name: name.into(), most_bytes: MOST, parts, batches, error }
}

fn kind(error: &PartError) -> &'static str {
    match error {
        PartError::Tensor(TensorError::Checksum { what: "header", .. }) => "header_checksum",
        PartError::Tensor(TensorError::Checksum { .. }) => "payload_checksum",
        PartError::Tensor(_) => "tensor",
        PartError::Header(_) => "header",
        PartError::Offset { .. } => "offset",
        PartError::Length { .. } => "length",
        PartError::Early => "early",
        PartError::Headless => "headless",
        _ => "another",
    }
}
