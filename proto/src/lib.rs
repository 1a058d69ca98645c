//! The contract of feedline, package `feedline.v1`, as Rust types.

// Nothing that came from a client or a file may cause a panic. Tests, examples and benchmarks may say so with one.
#![warn(clippy::unwrap_used, clippy::panic)]

/// Messages, service and client, as generated from `feedline/v1/*.proto`.
#[allow(missing_docs, unreachable_pub, clippy::all, clippy::pedantic, clippy::unwrap_used, clippy::panic)]
pub mod v1 {
    tonic::include_proto!("feedline.v1");
    include!(concat!(env!("OUT_DIR"), "/feedline.v1.serde.rs"));
}

pub mod crc32c;

/// The rules of fields: defaults, ranges, and the digest that follows from them.
pub mod rule;

/// Messages, fields and choices as plain values, for pages and commands that explain them.
pub mod describe;

/// Tensors of a batch: layout in the payload, and checks of what has arrived.
pub mod tensor;

/// Revision of the contract that this crate was generated from.
pub const CONTRACT_REVISION: u32 = 1;

/// The compiled descriptors of the contract, with comments: what the reflection service shows.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/feedline.v1.bin"));
