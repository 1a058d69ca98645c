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
}
