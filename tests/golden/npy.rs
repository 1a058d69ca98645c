//! Reads the arrays that numpy's `save` writes, as far as golden files use them: version 1.0, C order, little-endian, 8 bits or
//! 32-bit floats.

use std::fs;
use std::path::Path;

/// An array of three dimensions: height, width, channels.
pub(crate) struct Array {
    /// Rows, columns, channels.
    pub(crate) shape: [usize; 3],
    /// The values, channels last.
    pub(crate) values: Values,
}

/// The values of an array.
pub(crate) enum Values {
    /// `uint8`.
    U8(Vec<u8>),
    /// `float32`.
    F32(Vec<f32>),
}

impl Values {
    /// The values as floats of 64 bits, which hold both types exactly.
    pub(crate) fn as_f64(&self) -> Vec<f64> {
        match self {
            Values::U8(values) => values.iter().map(|x| f64::from(*x)).collect(),
            Values::F32(values) => values.iter().map(|x| f64::from(*x)).collect(),
        }
    }

    /// The name that numpy has for the type.
    pub(crate) fn dtype(&self) -> &'static str {
        match self {
            Values::U8(_) => "uint8",
            Values::F32(_) => "float32",
        }
    }
}

/// Reads the array in the file at `path`.
///
/// # Errors
/// What of the file is not as described above.
pub(crate) fn read(path: &Path) -> Result<Array, String> {
    let bytes = fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
    parse(&bytes).map_err(|what| format!("{}: {what}", path.display()))
}

fn parse(bytes: &[u8]) -> Result<Array, String> {
    let rest = bytes.strip_prefix(b"\x93NUMPY\x01\x00").ok_or("no .npy file of version 1.0")?;
    let (length, rest) = rest.split_first_chunk::<2>().ok_or("cut off before the header")?;
    let (header, data) = rest.split_at_checked(u16::from_le_bytes(*length).into()).ok_or("cut off in the header")?;
    let header = std::str::from_utf8(header).map_err(|error| format!("header: {error}"))?;
    if !header.contains("'fortran_order': False") {
        return Err(format!("not in C order: {header}"));
    }
    let shape = shape_of(header).ok_or_else(|| format!("not of three dimensions: {header}"))?;
    let values = if header.contains("'descr': '|u1'") {
        Values::U8(data.to_vec())
    } else if header.contains("'descr': '<f4'") {
        let (words, rest) = data.as_chunks::<4>();
        if !rest.is_empty() {
            return Err("cut off in a value".into());
        }
        Values::F32(words.iter().map(|word| f32::from_le_bytes(*word)).collect())
    } else {
        return Err(format!("neither uint8 nor little-endian float32: {header}"));
    };
    let count = match &values {
        Values::U8(values) => values.len(),
        Values::F32(values) => values.len(),
    };
    if count != shape.iter().product::<usize>() {
        return Err(format!("{count} values for shape {shape:?}"));
    }
    Ok(Array { shape, values })
}

/// The numbers of `'shape': (5, 7, 3)`.
fn shape_of(header: &str) -> Option<[usize; 3]> {
    let (_, rest) = header.split_once("'shape': (")?;
    let (numbers, _) = rest.split_once(')')?;
    let numbers: Result<Vec<usize>, _> = numbers.split(',').map(|number| number.trim().parse()).collect();
    numbers.ok()?.try_into().ok()
}
