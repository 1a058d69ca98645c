//! Promise: clients in every language get the same batches, and find the same damage. `tests/data/vectors` says what they have to
//! find; this test holds the Rust client against it, those of the other languages are in their folders below `clients`.
//!
//! `FEEDLINE_WRITE_VECTORS=1 cargo test --all-features --test vectors` writes the vectors anew.

mod common;
#[path = "vectors/images.rs"]
mod images;
#[path = "vectors/parts.rs"]
mod parts;
#[path = "vectors/requests.rs"]
mod requests;

use std::fs;
use std::path::{Path, PathBuf};

use common::*;
use feedline::client::{Batch, Loader};
use feedline::source;
use feedline::store::Mode;
use feedline_proto::v1::{self, Dtype};
use prost::Message;
use serde::{Deserialize, Serialize};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/vectors")
}

fn writes() -> bool {
    std::env::var_os("FEEDLINE_WRITE_VECTORS").is_some()
}

/// One request and what a client gets for it.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Case {
    name: String,
    /// A `StreamRequest`, serialized, in base64.
    request: String,
    /// The same, to be read.
    readable: serde_json::Value,
    batches: Vec<Expected>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Expected {
    epoch: u32,
    step: u64,
    samples: Vec<u64>,
    tensors: Vec<ExpectedTensor>,
    /// SHA-256 of the payload, in hex.
    sha256: String,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct ExpectedTensor {
    name: String,
    dtype: String,
    shape: Vec<u64>,
    /// Its first numbers, at most four.
    first: Vec<f64>,
}

impl Expected {
    fn of(batch: &Batch) -> Expected {
        let tensors = batch.header.tensors.iter().map(|tensor| {
            let bytes = batch.tensor(&tensor.name).expect("it is listed").1;
            ExpectedTensor {
                name: tensor.name.clone(),
                dtype: tensor.dtype().as_str_name().trim_start_matches("DTYPE_").to_owned(),
                shape: tensor.shape.clone(),
                first: first(tensor.dtype(), bytes),
            }
        });
        Expected {
            epoch: batch.header.epoch,
            step: batch.header.step,
            samples: batch.samples(),
            tensors: tensors.collect(),
            sha256: hash(batch.payload()),
        }
    }
}

/// The first numbers of a tensor; all of them are exact in 64 bits.
fn first(dtype: Dtype, bytes: &[u8]) -> Vec<f64> {
    fn numbers<const N: usize>(bytes: &[u8], number: impl Fn([u8; N]) -> f64) -> Vec<f64> {
        bytes.as_chunks::<N>().0.iter().take(4).map(|bytes| number(*bytes)).collect()
    }
    match dtype {
        Dtype::Uint8 => numbers(bytes, |[byte]| f64::from(byte)),
        Dtype::Fp16 => numbers(bytes, |bytes| half::f16::from_le_bytes(bytes).to_f64()),
        Dtype::Bf16 => numbers(bytes, |bytes| half::bf16::from_le_bytes(bytes).to_f64()),
        Dtype::Fp32 => numbers(bytes, |bytes| f64::from(f32::from_le_bytes(bytes))),
        Dtype::Int64 => numbers(bytes, |bytes| i64::from_le_bytes(bytes) as f64),
        Dtype::Unspecified => Vec::new(),
    }
}

/// `found` as it is committed, or written anew.
fn check<T: Serialize + for<'a> Deserialize<'a> + PartialEq + std::fmt::Debug>(file: &str, found: &[T]) {
    let path = folder().join(file);
    if writes() {
        let lines: Vec<_> = found.iter().map(|case| serde_json::to_string(case).expect("plain data")).collect();
        fs::write(&path, format!("[\n{}\n]\n", lines.join(",\n"))).expect("written");
    }
    let committed: Vec<T> = serde_json::from_slice(&fs::read(&path).expect(file)).expect("JSON of cases");
    assert_eq!(committed.len(), found.len(), "cases in {file}");
    for (committed, found) in committed.iter().zip(found) {
        assert_eq!(committed, found, "a case of {file}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_rust_client_gets_the_batches_of_the_vectors() {
    if writes() {
        images::write(&folder().join("dataset"));
    }
    let listing = source::at(&folder().join("dataset"), None).expect("the vectors' dataset");
    let server = Running::start(engine(loaded(listing, Mode::Auto), 2)).await;
    let mut cases = Vec::new();
    for (name, request) in requests::all() {
        let v1::StreamRequest { spec, placement, delivery, .. } = request.clone();
        let [spec, placement, delivery] = [
            serde_json::to_value(&spec).expect("JSON"),
            serde_json::to_value(placement).expect("JSON"),
            serde_json::to_value(&delivery).expect("JSON"),
        ];
        let readable = serde_json::json!({ "spec": spec, "placement": placement, "delivery": delivery });
        let loader = Loader {
            spec: request.spec.clone().unwrap_or_default(),
            placement: request.placement.unwrap_or_default(),
            delivery: request.delivery.clone().unwrap_or_default(),
        };
        let batches = pulled(&server.client(), loader).await.iter().map(Expected::of).collect();
        cases.push(Case { name: name.into(), request: base64(&request.encode_to_vec()), readable, batches });
    }
    server.stop().await;
    check("batches.json", &cases);
}

#[test]
fn the_rust_client_finds_what_is_wrong_with_the_parts_of_the_vectors() {
    let cases = parts::all();
    assert!(cases.iter().any(|case| case.error.is_some()) && cases.iter().any(|case| case.error.is_none()));
    check("parts.json", &cases);
}

/// RFC 4648, with padding.
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let group = |three: &[u8]| {
        let bits = three.iter().chain(&[0; 2]).take(3).fold(0, |bits, byte| bits << 8 | usize::from(*byte));
        let letter = |place: usize| {
            if place <= three.len() { char::from(LETTERS[bits >> (18 - 6 * place) & 63]) } else { '=' }
        };
        [letter(0), letter(1), letter(2), letter(3)]
    };
    bytes.chunks(3).flat_map(group).collect()
}
