use bytes::{BufMut, Bytes, BytesMut};
use feedline_proto::v1;
use prost::encoding::{WireType, encode_key, encode_varint};
use prost::{DecodeError, Message};

/// A part as gRPC sends it, in two pieces: length, fields and the key of the data; then the data itself, which is not copied.
pub fn framed(mut part: v1::BatchPart) -> (Bytes, Bytes) {
    let data = std::mem::take(&mut part.data);
    let mut head = BytesMut::with_capacity(PREFIX + part.encoded_len() + 2 * MOST_VARINT);
    head.put_bytes(0, PREFIX);
    part.encode_raw(&mut head);
    if !data.is_empty() {
        encode_key(DATA, WireType::LengthDelimited, &mut head);
        encode_varint(data.len() as u64, &mut head);
    }
    (with_length(head, data.len()), data)
}

/// A whole message as gRPC sends it.
pub fn whole(message: &impl Message) -> Bytes {
    let mut bytes = BytesMut::with_capacity(PREFIX + message.encoded_len());
    bytes.put_bytes(0, PREFIX);
    message.encode_raw(&mut bytes);
    with_length(bytes, 0)
}

/// Writes the length into the prefix of a message that goes on with so many bytes. It has 32 bits, far more than
/// `Delivery.part_bytes` or a request can be.
fn with_length(mut bytes: BytesMut, more: usize) -> Bytes {
    let length = (bytes.len() - PREFIX + more) as u32;
    bytes[1..PREFIX].copy_from_slice(&length.to_be_bytes());
    bytes.freeze()
}

/// Path of the method whose answer is framed here.
pub const STREAM: &str = "/feedline.v1.FeedlineService/Stream";

/// What the first bytes of a message are.
#[derive(Debug)]
pub enum Head {
    /// Too few to tell.
    More,
    /// All of a part but its data.
    Part {
        /// The part; its data is there only if it does not come last.
        part: Box<v1::BatchPart>,
        /// How many of the bytes were taken.
        taken: usize,
        /// How many bytes of data follow them.
        data: usize,
    },
}

/// Why a message can't be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FrameError {
    /// It is compressed, which nobody asked for.
    #[error("a message with flags {0:#04x}, expected an uncompressed one")]
    Flags(u8),
    /// It is longer than the longest part.
    #[error("a message of {found} bytes, expected at most {most}")]
    Length {
        /// Its length.
        found: usize,
        /// The most that a part can have.
        most: usize,
    },
    /// It is not what protobuf makes of a part.
    #[error("a message that is no BatchPart: {0}")]
    Message(#[from] DecodeError),
    /// A field reaches beyond the message.
    #[error("a message of {length} bytes with a field that ends at {end}")]
    Field {
        /// Where the field ends.
        end: u64,
        /// Length of the message.
        length: usize,
    },
}

/// Reads the beginning of a message, of at most `most` bytes, whose first bytes are `bytes`.
///
/// # Errors
/// [`FrameError`].
pub fn head(bytes: &Bytes, most: usize) -> Result<Head, FrameError> {
    let Some((prefix, rest)) = bytes.split_first_chunk::<PREFIX>() else { return Ok(Head::More) };
    let [flags, length @ ..] = *prefix;
    if flags != 0 {
        return Err(FrameError::Flags(flags));
    }
    let length = u32::from_be_bytes(length) as usize;
    if length > most {
        return Err(FrameError::Length { found: length, most });
    }
    let end = |end: u64| if end > length as u64 { Err(FrameError::Field { end, length }) } else { Ok(end as usize) };
    let message = &rest[..rest.len().min(length)];
    let mut at = 0;
    while at < length {
        let mut after = at;
        let Some(key) = number(message, &mut after) else { break };
        let Some(field) = (match key & 7 {
            0 => number(message, &mut after).map(|_| after as u64),
            1 => Some(after as u64 + 8),
            2 => number(message, &mut after).map(|bytes| bytes.saturating_add(after as u64)),
            5 => Some(after as u64 + 4),
            // Groups, which the contract has none of: the whole message says what is wrong.
            _ => Some(length as u64),
        }) else {
            break;
        };
        let stop = end(field)?;
        if key == u64::from(DATA << 3 | 2) && stop == length {
            let part = Box::new(v1::BatchPart::decode(bytes.slice(PREFIX..PREFIX + at))?);
            return Ok(Head::Part { part, taken: PREFIX + after, data: stop - after });
        }
        at = stop;
    }
    if message.len() < length {
        return Ok(Head::More);
    }
    let part = Box::new(v1::BatchPart::decode(bytes.slice(PREFIX..PREFIX + length))?);
    Ok(Head::Part { part, taken: PREFIX + length, data: 0 })
}

/// The number of protobuf at `at`, which is moved behind it; none if it is cut off.
fn number(bytes: &[u8], at: &mut usize) -> Option<u64> {
    let mut value = 0;
    for (index, byte) in bytes.get(*at..)?.iter().take(MOST_VARINT).enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            *at += index + 1;
            return Some(value);
        }
    }
    None
}

/// Bytes before every message of gRPC: flags, and its length, big-endian.
const PREFIX: usize = 5;
/// Number of [`v1::BatchPart::data`] in the contract: the last one, so that all else stands before it.
const DATA: u32 = 15;
/// Bytes of the longest number of protobuf.
const MOST_VARINT: usize = 10;

#[cfg(test)]
mod tests {
    use super::*;

    const MOST: usize = 1 << 20;

    fn parts() -> [v1::BatchPart; 4] {
        let header = Bytes::from_static(b"header");
        [
            v1::BatchPart { header, header_crc32c: Some(7), data: vec![9; 300].into(), ..Default::default() },
            v1::BatchPart { offset: 1 << 40, data: vec![1; 70_000].into(), ..Default::default() },
            v1::BatchPart { timings: Some(v1::Timings { decode_ns: 5, ..Default::default() }), ..Default::default() },
            v1::BatchPart::default(),
        ]
    }

    /// A message with gRPC's prefix.
    fn prefixed(message: &[u8]) -> Bytes {
        [&[0][..], &(message.len() as u32).to_be_bytes(), message].concat().into()
    }

    #[test]
    fn a_framed_part_is_the_message_that_protobuf_makes() {
        for part in parts() {
            let (head, data) = framed(part.clone());
            assert_eq!(data.as_ptr(), part.data.as_ptr());
            assert_eq!([&head[..], &data].concat(), prefixed(&part.encode_to_vec()));
            assert_eq!(whole(&part), prefixed(&part.encode_to_vec()));
        }
    }

    #[test]
    fn the_head_of_a_message_is_found_as_soon_as_it_is_there() {
        for expected in parts() {
            let whole = prefixed(&expected.encode_to_vec());
            let before = whole.len() - expected.data.len();
            for cut in (0..before).rev().take(300) {
                assert!(matches!(head(&whole.slice(..cut), MOST), Ok(Head::More)), "{cut} of {before} bytes");
            }
            let Ok(Head::Part { part, taken, data }) = head(&whole.slice(..before), MOST) else { panic!("no head") };
            assert_eq!((taken, data), (before, expected.data.len()));
            assert_eq!(*part, v1::BatchPart { data: Bytes::new(), ..expected });
        }
    }

    #[test]
    fn data_before_other_fields_and_fields_that_are_unknown_are_read_too() {
        let mut message = vec![15 << 3 | 2, 3, 7, 8, 9];
        // Fields 4 (offset), 20 of 8 bytes, 21 of 4 bytes.
        message.extend([4 << 3, 77, 0xa1, 1, 1, 2, 3, 4, 5, 6, 7, 8, 0xad, 1, 1, 2, 3, 4]);
        let whole = prefixed(&message);
        let Ok(Head::Part { part, taken, data }) = head(&whole, MOST) else { panic!("no head") };
        assert_eq!((taken, data, part.offset, &part.data[..]), (whole.len(), 0, 77, &[7, 8, 9][..]));
    }

    #[test]
    fn what_is_no_part_is_refused_saying_why() {
        let refused = |bytes: &[u8]| head(&Bytes::copy_from_slice(bytes), MOST).expect_err("no part").to_string();
        assert!(refused(&[1, 0, 0, 0, 0]).contains("flags 0x01"));
        assert!(refused(&[0, 1, 0, 0, 0]).contains("16777216 bytes, expected at most 1048576"));
        assert!(refused(&prefixed(&[15 << 3 | 2, 200, 1, 0])).contains("a field that ends at 203"));
        assert!(refused(&prefixed(&[4 << 3 | 2, 0])).contains("no BatchPart"));
        assert!(refused(&prefixed(&[3])).contains("no BatchPart"));
        assert!(refused(&prefixed(&[0xff; 12])).contains("no BatchPart"));
    }
}
