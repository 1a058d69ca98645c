//! CRC-32C (Castagnoli), the checksum of headers and payloads.

use crc_fast::{CrcAlgorithm::Crc32Iscsi, Digest};

/// The checksum of `bytes`.
pub fn of(bytes: &[u8]) -> u32 {
    append(0, bytes)
}

/// The checksum of bytes whose checksum is `before`, followed by `bytes`.
pub fn append(before: u32, bytes: &[u8]) -> u32 {
    let mut digest = Digest::new_with_init_state(Crc32Iscsi, u64::from(!before));
    digest.update(bytes);
    digest.finalize() as u32
}

/// The checksum of bytes whose checksum is `before`, followed by `length` bytes whose checksum is `behind`. It takes microseconds: what
/// `length` bytes do to a checksum is found anew each time.
pub fn combine(before: u32, behind: u32, length: u64) -> u32 {
    crc_fast::checksum_combine(Crc32Iscsi, u64::from(before), u64::from(behind), length) as u32
}

/// Combines checksums of what is followed by a certain number of bytes. [`combine`] finds anew each time what those bytes do to a
/// checksum, which takes longer than an image of 32 x 32 takes to be made.
#[derive(Debug)]
pub struct Behind {
    /// What becomes of each bit.
    bits: [u32; 32],
}

impl Behind {
    /// For `length` bytes that come behind.
    pub fn new(length: usize) -> Behind {
        // The highest bit stands for 1, the next one for x, and so on: each is the one before times x, modulo Castagnoli's polynomial.
        let mut bits = [0; 32];
        let mut power = combine(1 << 31, 0, length as u64);
        for bit in bits.iter_mut().rev() {
            *bit = power;
            power = power >> 1 ^ if power & 1 == 1 { 0x82f6_3b78 } else { 0 };
        }
        Behind { bits }
    }

    /// The checksum of all, of which `before` is the first part's and `of_them` that of the bytes behind it.
    pub fn combined(&self, before: u32, of_them: u32) -> u32 {
        let moved = self.bits.iter().enumerate().map(|(bit, becomes)| becomes & 0_u32.wrapping_sub(before >> bit & 1));
        moved.fold(of_them, |sum, bits| sum ^ bits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_castagnolis() {
        assert_eq!(of(b"123456789"), 0xE306_9283);
        assert_eq!(of(b""), 0);
    }

    #[test]
    fn parts_give_the_checksum_of_the_whole() {
        let bytes: Vec<u8> = (0..5000_u32).map(|x| ((x * x) >> 3) as u8).collect();
        // Bit by bit, as it is defined.
        let defined = !bytes.iter().fold(!0_u32, |crc, byte| {
            (0..8).fold(crc ^ u32::from(*byte), |crc, _| crc >> 1 ^ if crc & 1 == 1 { 0x82f6_3b78 } else { 0 })
        });
        assert_eq!(of(&bytes), defined);
        for cut in [0, 1, 7, 8, 63, 64, 127, 300, 1024, 4999, 5000] {
            let (first, second) = bytes.split_at(cut);
            assert_eq!(append(of(first), second), defined, "{cut} bytes and the rest");
            assert_eq!(combine(of(first), of(second), second.len() as u64), defined, "{cut} bytes and the rest");
        }
    }

    #[test]
    fn many_parts_of_one_length_are_combined_the_same() {
        let bytes: Vec<u8> = (0..5000_u32).map(|x| ((x * x) >> 3) as u8).collect();
        for (first, length) in [(0, 1), (1, 0), (7, 4), (64, 64), (1000, 3072), (4999, 1)] {
            let all = &bytes[..first + length];
            let combined = Behind::new(length).combined(of(&all[..first]), of(&all[first..]));
            assert_eq!(combined, of(all), "{first} and {length} bytes");
        }
    }
}
