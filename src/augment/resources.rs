//! What ops ask for beside their message. A pipeline is built with it and never comes back to it, so that what a row needs is
//! known, decoded and counted before the first one is made.

use std::fmt;
use std::sync::Arc;

use super::style::onnx::Plans;
use crate::decode::{Decoder, Limits};
use crate::demo;
use crate::image::Size;

/// An image of the dataset that an op takes something from: RGB, 8 bits, channels last, rows top down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// Width and height.
    pub size: Size,
    /// As many values as `size.area() * 3`.
    pub pixels: Vec<u8>,
}

/// A model of the server: an ONNX file.
pub struct Model {
    /// Name of the file.
    pub name: String,
    /// BLAKE3 of the file in 64 hex digits.
    pub digest: String,
    /// The file.
    pub file: Vec<u8>,
    /// Made of it for the shapes of images that it runs on.
    #[cfg_attr(not(feature = "onnx"), allow(dead_code))]
    pub(super) plans: Plans,
}

impl Model {
    /// The model in a file.
    pub fn new(name: impl Into<String>, digest: impl Into<String>, file: Vec<u8>) -> Self {
        Model { name: name.into(), digest: digest.into(), file, plans: Plans::default() }
    }
}

/// Why an op does not get what it asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unavailable {
    /// What was asked for, and what is wrong with it.
    pub found: String,
    /// What would do.
    pub expected: String,
}

impl Unavailable {
    /// `found` where `expected` would do.
    pub fn new(found: impl fmt::Display, expected: impl Into<String>) -> Self {
        Unavailable { found: found.to_string(), expected: expected.into() }
    }
}

/// Where ops get it. Asked while a pipeline is built, on a thread that may take its time.
pub trait Resources {
    /// The image of a sample of the split, decoded whole and turned as the rows' images are.
    ///
    /// # Errors
    /// If there is no such sample, it can't be decoded, or it is too large beside the others.
    fn picture(&self, sample: u64) -> Result<Arc<Picture>, Unavailable>;

    /// A model of the server by its name. There is none unless this says otherwise.
    ///
    /// # Errors
    /// If there is no such model, or it is too large beside the others.
    fn model(&self, name: &str) -> Result<Arc<Model>, Unavailable> {
        Err(Unavailable::new(format!("{name:?}"), "a server that has models"))
    }

    /// Notes that an op keeps `bytes` as long as its pipeline lives.
    ///
    /// # Errors
    /// If that is too much together with what other ops keep.
    fn keep(&self, bytes: u64) -> Result<(), Unavailable>;
}

/// The photographs that the program carries with it, by number, and its model: for pictures, measurements and tests.
pub struct Photographs;

impl Resources for Photographs {
    fn picture(&self, sample: u64) -> Result<Arc<Picture>, Unavailable> {
        let mut photographs = demo::photographs();
        let count = photographs.len();
        let nth = usize::try_from(sample).ok().and_then(|index| photographs.nth(index));
        let (name, file) =
            nth.ok_or_else(|| Unavailable::new(sample, format!("a sample's index, 0 to {}", count - 1)))?;
        let decoded = Decoder::new(Limits::default()).decode(file);
        let decoded = decoded.map_err(|error| Unavailable::new(format!("{name}: {error}"), "a sound image"))?;
        Ok(Arc::new(Picture { size: decoded.size, pixels: decoded.pixels }))
    }

    fn model(&self, name: &str) -> Result<Arc<Model>, Unavailable> {
        let (known, file) = demo::MODEL;
        if name != known {
            return Err(Unavailable::new(format!("{name:?}"), known));
        }
        let digest = blake3::hash(file).to_hex().to_string();
        Ok(Arc::new(Model::new(known, digest, file.to_vec())))
    }

    fn keep(&self, _: u64) -> Result<(), Unavailable> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn photographs_have_numbers_and_end() {
        let first = Photographs.picture(0).expect("there are some");
        assert_eq!(first.pixels.len() as u64, first.size.area() * 3);
        let beyond = Photographs.picture(1 << 40).expect_err("not as many");
        assert_eq!(beyond.expected, "a sample's index, 0 to 95");
    }
}
