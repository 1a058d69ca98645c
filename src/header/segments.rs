/// A marker segment of a JPEG file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Segment<'a> {
    /// Second byte of the marker.
    pub(crate) marker: u8,
    /// What the segment holds, without its length field; nothing for markers that stand alone.
    pub(crate) content: &'a [u8],
    /// Offset of the first byte after the segment: the entropy-coded data, if the marker starts a scan.
    pub(crate) end: usize,
}

/// Walks the marker segments of a JPEG file. Stray bytes between segments are skipped, as decoders do; entropy-coded data is
/// such bytes too, so a walk goes on past scans.
#[derive(Clone, Debug)]
pub(crate) struct Segments<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Segments<'a> {
    /// A walk that begins after the two bytes that start every file.
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Segments { bytes, at: 2 }
    }

    /// The next segment; none at the end of the file.
    ///
    /// # Errors
    /// If the file ends in the segment, or the segment is shorter than its own length field.
    pub(crate) fn next(&mut self) -> Result<Option<Segment<'a>>, &'static str> {
        let Some(marker) = self.next_marker() else { return Ok(None) };
        if stands_alone(marker) {
            return Ok(Some(Segment { marker, content: &[], end: self.at }));
        }
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let [high, low, ..] = *rest else { return Err("ends in the length of a segment") };
        let length = usize::from(u16::from_be_bytes([high, low]));
        if length < 2 {
            return Err("a segment is shorter than its own length");
        }
        let content = rest.get(2..length).ok_or("ends in a segment")?;
        self.at += length;
        Ok(Some(Segment { marker, content, end: self.at }))
    }

    /// Goes to the byte after the next marker and returns the marker. Any number of 0xff may fill the space before one, and
    /// 0xff00 is data.
    fn next_marker(&mut self) -> Option<u8> {
        loop {
            let start = self.at + self.bytes.get(self.at..)?.iter().position(|&byte| byte == 0xff)?;
            let code = start + self.bytes[start..].iter().position(|&byte| byte != 0xff)?;
            self.at = code + 1;
            if self.bytes[code] != 0 {
                return Some(self.bytes[code]);
            }
        }
    }
}

/// Markers without a length and a content: restarts, start and end of the image, and one for private use.
fn stands_alone(marker: u8) -> bool {
    matches!(marker, 0x01 | 0xd0..=0xd9)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fill_bytes_stray_bytes_and_stuffed_bytes_are_skipped() {
        let bytes = [
            0xff, 0xd8, 0xff, 0xff, 0xff, 0xe0, 0, 3, 7, 0x12, 0x34, 0xff, 0, 0xff, 0xd3, 0x55, 0xff, 0xd9, 0xff, 0xff,
        ];
        let mut walk = Segments::new(&bytes);
        assert_eq!(walk.next(), Ok(Some(Segment { marker: 0xe0, content: &[7], end: 9 })));
        assert_eq!(walk.next(), Ok(Some(Segment { marker: 0xd3, content: &[], end: 15 })));
        assert_eq!(walk.next(), Ok(Some(Segment { marker: 0xd9, content: &[], end: 18 })));
        assert_eq!(walk.next(), Ok(None));
    }

    #[test]
    fn a_segment_that_is_not_whole_is_an_error() {
        let mut lying = Segments::new(&[0xff, 0xd8, 0xff, 0xe0, 0, 9, 1, 2]);
        assert_eq!(lying.next(), Err("ends in a segment"));
        let mut short = Segments::new(&[0xff, 0xd8, 0xff, 0xe0, 0]);
        assert_eq!(short.next(), Err("ends in the length of a segment"));
        let mut tiny = Segments::new(&[0xff, 0xd8, 0xff, 0xe0, 0, 1, 0, 0]);
        assert_eq!(tiny.next(), Err("a segment is shorter than its own length"));
    }
}
