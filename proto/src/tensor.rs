//! How tensors lie in a payload, and the checks that a client makes before it trusts one.

use crate::v1::{BatchHeader, Dtype, Tensor};

/// Every tensor begins at a multiple of this many bytes from the payload's start.
pub const ALIGNMENT: u64 = 64;

/// What is wrong with a header or a payload that has arrived.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TensorError {
    /// The dtype is not one of the contract's.
    #[error("tensor {name:?} has the unknown dtype {dtype}")]
    UnknownDtype {
        /// Name of the tensor.
        name: String,
        /// Number of the dtype.
        dtype: i32,
    },
    /// Shape and length contradict each other, or the tensor is not where it should be.
    #[error("tensor {name:?} of shape {shape:?} has {bytes} bytes at {offset} of a payload of {payload}")]
    Misplaced {
        /// Name of the tensor.
        name: String,
        /// Its shape.
        shape: Vec<u64>,
        /// Its length.
        bytes: u64,
        /// Its offset.
        offset: u64,
        /// Length of the payload.
        payload: u64,
    },
    /// The payload is not as long as its header says.
    #[error("the payload has {found} bytes, its header says {expected}")]
    Length {
        /// Bytes that arrived.
        found: u64,
        /// Bytes announced.
        expected: u64,
    },
    /// The checksum does not fit.
    #[error("CRC32C of the {what} is {found:08x}, expected {expected:08x}")]
    Checksum {
        /// `header` or `payload`.
        what: &'static str,
        /// Computed from what arrived.
        found: u32,
        /// Announced.
        expected: u32,
    },
}

impl Dtype {
    /// Bytes of one number; 0 for `Unspecified`.
    pub fn size(self) -> u64 {
        match self {
            Dtype::Unspecified => 0,
            Dtype::Uint8 => 1,
            Dtype::Fp16 | Dtype::Bf16 => 2,
            Dtype::Fp32 => 4,
            Dtype::Int64 => 8,
        }
    }
}

/// Lays tensors out back to back: sets every `offset` and `bytes`, and returns the payload's length, padding included.
///
/// # Errors
/// [`TensorError::UnknownDtype`], or [`TensorError::Misplaced`] when a length does not fit 64 bits.
pub fn lay_out(tensors: &mut [Tensor]) -> Result<u64, TensorError> {
    let mut end = 0_u64;
    for tensor in tensors {
        let bytes = byte_length(tensor)?;
        tensor.offset = end;
        tensor.bytes = bytes;
        let padded = end.checked_add(bytes).and_then(|end| end.checked_next_multiple_of(ALIGNMENT));
        end = padded.ok_or_else(|| misplaced(tensor, u64::MAX))?;
    }
    Ok(end)
}

/// Checks that every tensor of `header` lies where the contract says, inside the payload and none across another.
///
/// # Errors
/// The first tensor that does not.
pub fn check_header(header: &BatchHeader) -> Result<(), TensorError> {
    let mut end = 0;
    for tensor in &header.tensors {
        let fits = tensor.offset.checked_add(tensor.bytes).is_some_and(|stop| stop <= header.payload_bytes);
        let aligned = tensor.offset.is_multiple_of(ALIGNMENT) && tensor.offset >= end;
        if !fits || !aligned || byte_length(tensor)? != tensor.bytes {
            return Err(misplaced(tensor, header.payload_bytes));
        }
        end = tensor.offset + tensor.bytes;
    }
    Ok(())
}

/// Checks a whole payload against its header: length and checksum.
///
/// # Errors
/// [`TensorError::Length`] or [`TensorError::Checksum`].
pub fn check_payload(header: &BatchHeader, payload: &[u8]) -> Result<(), TensorError> {
    if payload.len() as u64 != header.payload_bytes {
        return Err(TensorError::Length { found: payload.len() as u64, expected: header.payload_bytes });
    }
    check_crc("payload", payload, header.payload_crc32c.unwrap_or(0))
}

/// Checks `bytes` against a CRC32C.
///
/// # Errors
/// [`TensorError::Checksum`].
pub fn check_crc(what: &'static str, bytes: &[u8], expected: u32) -> Result<(), TensorError> {
    let found = crate::crc32c::of(bytes);
    if found == expected { Ok(()) } else { Err(TensorError::Checksum { what, found, expected }) }
}

fn byte_length(tensor: &Tensor) -> Result<u64, TensorError> {
    let dtype = Dtype::try_from(tensor.dtype).unwrap_or_default();
    if dtype == Dtype::Unspecified {
        return Err(TensorError::UnknownDtype { name: tensor.name.clone(), dtype: tensor.dtype });
    }
    let numbers = tensor.shape.iter().try_fold(1_u64, |product, side| product.checked_mul(*side));
    numbers.and_then(|numbers| numbers.checked_mul(dtype.size())).ok_or_else(|| misplaced(tensor, u64::MAX))
}

fn misplaced(tensor: &Tensor, payload: u64) -> TensorError {
    let Tensor { name, shape, bytes, offset, .. } = tensor.clone();
    TensorError::Misplaced { name, shape, bytes, offset, payload }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tensor(name: &str, dtype: Dtype, shape: &[u64]) -> Tensor {
        Tensor { name: name.into(), dtype: dtype.into(), shape: shape.into(), ..Default::default() }
    }

    fn header() -> BatchHeader {
        let mut tensors = vec![tensor("image", Dtype::Uint8, &[3, 5, 7, 3]), tensor("label", Dtype::Int64, &[3])];
        let payload_bytes = lay_out(&mut tensors).expect("small");
        BatchHeader { tensors, payload_bytes, ..Default::default() }
    }

    #[test]
    fn tensors_lie_back_to_back_at_multiples_of_64_bytes() {
        let header = header();
        assert_eq!((header.tensors[0].offset, header.tensors[0].bytes), (0, 315));
        assert_eq!((header.tensors[1].offset, header.tensors[1].bytes), (320, 24));
        assert_eq!(header.payload_bytes, 384);
        check_header(&header).expect("as laid out");
    }

    #[test]
    fn a_header_that_lies_is_refused() {
        for spoil in [
            |header: &mut BatchHeader| header.tensors[1].offset = 256,
            |header: &mut BatchHeader| header.tensors[1].offset = u64::MAX - 63,
            |header: &mut BatchHeader| header.tensors[1].bytes = 32,
            |header: &mut BatchHeader| header.tensors[0].shape = vec![u64::MAX, 2],
            |header: &mut BatchHeader| header.tensors[0].dtype = 99,
            |header: &mut BatchHeader| header.payload_bytes = 300,
        ] {
            let mut header = header();
            spoil(&mut header);
            check_header(&header).expect_err("a lie");
        }
    }

    #[test]
    fn damage_in_a_payload_is_seen() {
        let mut header = header();
        let mut payload = vec![7; 384];
        header.payload_crc32c = Some(crate::crc32c::of(&payload));
        check_payload(&header, &payload).expect("undamaged");
        payload[200] ^= 1;
        assert!(matches!(check_payload(&header, &payload), Err(TensorError::Checksum { .. })));
        assert!(matches!(check_payload(&header, &payload[1..]), Err(TensorError::Length { .. })));
    }
}
