//! feedline: a streaming data-loader service. See ARCHITECTURE.md for the map; modules stand in the order the data moves, and
//! a module may use only those above it.

// Nothing that came from a client or a file may cause a panic. Tests, examples and benchmarks may say so with one.
#![warn(clippy::unwrap_used, clippy::panic)]

/// Pixels: the image that ops work on.
pub mod image;

/// Tensors of a batch: where each lies in the payload, and the memory they lie in.
pub mod tensor;

/// A sample: an image with its annotations, which move together.
pub mod sample;

/// Randomness as a value: generators keyed by what they are for.
pub mod seed;

/// Loops compiled once per level of vector instructions.
pub mod simd;

/// What an image file says of itself: format, size, orientation.
pub mod header;

/// Photographs that the program carries with it.
pub mod demo;

/// Where samples come from: listings of a dataset's files, no content read yet.
pub mod source;

/// Every encoded sample, held in memory and never changed after loading.
pub mod store;

/// Which sample stands at which row of which step: arithmetic, no I/O.
pub mod plan;

/// Bytes of a file to pixels, within limits; damage is told, never painted over.
pub mod decode;

/// The ops, and the pipeline built of them.
pub mod augment;

/// Rows to batches: collation into one allocation, and mixing.
pub mod batch;

/// Batches of many sessions, made by one pool of workers: the only place where the stages meet.
pub mod engine;

/// Batches to messages.
pub mod wire;

/// Whose fault an error is: what status a client gets, and what exit code.
pub mod fault;

/// The service: sessions over gRPC, limits, health, drain.
pub mod server;

/// The Rust client: reconnects and resumes by itself.
pub mod client;

/// Contact sheets: images of a batch beside each other, with captions, as one picture to look at.
pub mod sheet;

/// Logs.
pub mod telemetry;

/// The server's configuration file.
pub mod config;

/// Pipelines of other libraries, read as ours.
pub mod import;

/// What bounds a running job: two statuses of a server, a while apart, compared.
pub mod doctor;

/// The command line.
pub mod cli;
