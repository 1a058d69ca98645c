//! feedline: a streaming data-loader service. See ARCHITECTURE.md for the map; modules stand in the order the data moves, and
//! a module may use only those above it.

/// Pixels: the image that ops work on.
pub mod image;

/// Tensors of a batch: where each lies in the payload, and the memory they lie in.
pub mod tensor;

/// A sample: an image with its annotations, which move together.
pub mod sample;

/// Randomness as a value: generators keyed by what they are for.
pub mod seed;

/// What an image file says of itself: format, size, orientation.
pub mod header;

/// The ops, and the pipeline built of them.
pub mod augment;

/// Photographs that the program carries with it.
pub mod demo;

/// Contact sheets: images of a batch beside each other, with captions, as one picture to look at.
pub mod sheet;
