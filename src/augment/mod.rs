/// Steps of ops that wait until somebody looks at the image.
mod finish;

/// What an op is, and what one needs.
mod op;

/// What ops ask for beside their message.
pub mod resources;

/// The pipeline built from a spec: ops, groups, and the tail that is left for the last moment.
mod pipeline;

/// Pipelines with a name.
pub mod preset;

/// Ops that move pixels.
mod geometry;

/// Ops that change pixels.
mod colour;

/// Ops that make each pixel of its neighbourhood.
mod filter;

/// Ops that spoil an image as sensors, channels and compression do.
mod noise;

/// Ops that cut holes.
mod dropout;

/// Ops that change the type of pixels.
mod convert;

/// Chains of other ops, drawn for each sample.
mod policy;

/// Ops that give an image the look of another one.
mod style;

/// What there is to know of every op.
pub mod catalogue;

/// Which message is built by which file: one line per op.
mod registry;

pub use convert::Tail;
pub use finish::Finish;
pub use geometry::scaled_to_look_at;
pub use op::{Failed, Op, Refusal, Scratch, Targets};
pub use pipeline::{Pipeline, Recorded, check_size, is_tail, pin_models};
