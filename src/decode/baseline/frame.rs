use super::huffman::{ROWS_FIRST, Table};
use crate::header::{Segment, Segments, is_frame};
use crate::image::Size;

/// What the frame header says, of a file of the kind that nearly all are of: 8 bits; gray, or YCbCr whose colours have all, half
/// of the columns, or half of the columns and rows.
pub(super) struct Frame {
    pub(super) size: Size,
    /// Blocks of an MCU that are brightness, across and down: 1 or 2.
    pub(super) luma: [usize; 2],
    /// Identifiers and numbers of the factors of the components, one or three.
    pub(super) components: Vec<[u8; 2]>,
    pub(super) is_progressive: bool,
}

impl Frame {
    /// Blocks of a component in an MCU, across and down.
    #[inline(always)]
    pub(super) fn sampling(&self, place: usize) -> [usize; 2] {
        if place == 0 { self.luma } else { [1, 1] }
    }

    /// Blocks of an MCU.
    pub(super) fn blocks(&self) -> usize {
        self.luma[0] * self.luma[1] + self.components.len() - 1
    }
}

/// A scan: which components, what of them, and where its entropy-coded data begins.
pub(super) struct Scan {
    pub(super) components: Vec<Scanned>,
    /// First and last coefficient, in the order of the file.
    pub(super) band: [usize; 2],
    /// Low bits that are still to come, before this scan (none if there was none) and after it.
    pub(super) bits: [u32; 2],
    pub(super) data: usize,
}

/// A component of a scan.
#[derive(Clone, Copy)]
pub(super) struct Scanned {
    /// Its place in the frame.
    pub(super) place: usize,
    /// Places of the tables among those of [`Tables`], if they were sent.
    pub(super) dc: Option<usize>,
    pub(super) ac: Option<usize>,
}

/// Huffman tables by what they are made of: most files of a dataset have the same.
#[derive(Default)]
pub(super) struct Tables {
    known: Vec<(Vec<u8>, Table)>,
}

/// Tables kept from one file to the next. A file brings four, a progressive one ten; one that brings more than twice as many as this is left
/// to the complete decoder, before its tables take all memory.
const MOST_KNOWN: usize = 16;

impl Tables {
    pub(super) fn get(&self, place: usize) -> &Table {
        &self.known[place].1
    }

    /// Makes room for those of the next file.
    pub(super) fn tidy(&mut self) {
        if self.known.len() > MOST_KNOWN {
            self.known.clear();
        }
    }

    /// The place of the table that `spec` describes: class, 16 counts, symbols.
    fn place(&mut self, spec: &[u8]) -> Option<usize> {
        if let Some(place) = self.known.iter().position(|(known, _)| known == spec) {
            return Some(place);
        }
        if self.known.len() >= 3 * MOST_KNOWN {
            return None;
        }
        let (class, rest) = spec.split_first()?;
        let (counts, symbols) = rest.split_first_chunk()?;
        let table = Table::new(*class == 0, counts, symbols)?;
        self.known.push((spec.to_vec(), table));
        Some(self.known.len() - 1)
    }
}

/// Walks the segments of a file, and knows what they have said so far.
pub(super) struct Walk<'a> {
    segments: Segments<'a>,
    /// Where the next segment must begin: stray bytes are worth a warning.
    at: usize,
    factors: [Option<[i32; 64]>; 4],
    /// By class and number.
    tables: [[Option<usize>; 4]; 2],
    frame: Option<(bool, &'a [u8])>,
    /// MCUs between two restarts; 0: there are none.
    interval: usize,
    is_jfif: bool,
    /// The transform that Adobe's segment names, if there is one.
    adobe: Option<Option<u8>>,
}

impl<'a> Walk<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Walk<'a> {
        Walk {
            segments: Segments::new(bytes),
            at: 2,
            factors: [None; 4],
            tables: [[None; 4]; 2],
            frame: None,
            interval: 0,
            is_jfif: false,
            adobe: None,
        }
    }

    /// The factors of a component, by their number.
    pub(super) fn factors(&self, number: u8) -> Option<&[i32; 64]> {
        self.factors.get(usize::from(number))?.as_ref()
    }

    /// MCUs between two restarts of the next scan; 0: there are none.
    pub(super) fn interval(&self) -> usize {
        self.interval
    }

    /// Goes on behind the data of a scan, which ended there.
    pub(super) fn skip_to(&mut self, end: usize) {
        self.at = end;
    }

    /// Goes to the next scan; the inner None is the end of the image. None if the file is of another kind, or not as it should be.
    pub(super) fn next_scan(&mut self, tables: &mut Tables) -> Option<Option<Scan>> {
        while let Ok(Some(Segment { marker, content, end })) = self.segments.next() {
            let length = if marker == 0xd9 { 2 } else { 4 + content.len() };
            if end != self.at + length {
                return None;
            }
            self.at = end;
            match marker {
                0xd9 => return Some(None),
                0xda => return self.scan(content, end).map(Some),
                0xdb => self.note_factors(content)?,
                0xc4 => self.note_tables(content, tables)?,
                0xc0 | 0xc2 if self.frame.is_none() => self.frame = Some((marker == 0xc2, content)),
                other if is_frame(other) => return None,
                // A restart between segments, a height that comes later, arithmetic coding, hierarchies: not here.
                0xd0..=0xd8 | 0xdc | 0xcc | 0xde | 0xdf => return None,
                0xdd => self.interval = usize::from(u16::from_be_bytes(content.try_into().ok()?)),
                0xe0 => self.is_jfif |= content.starts_with(b"JFIF\0"),
                0xee if content.starts_with(b"Adobe") => self.adobe = Some(content.get(11).copied()),
                _ => {}
            }
        }
        None
    }

    fn note_factors(&mut self, mut content: &[u8]) -> Option<()> {
        while let Some((&kind, rest)) = content.split_first() {
            // Those of 16 bits have a kind of 16 and above.
            let place = self.factors.get_mut(usize::from(kind))?;
            let mut rows = [0; 64];
            for (factor, &row) in rest.get(..64)?.iter().zip(&ROWS_FIRST) {
                rows[usize::from(row)] = i32::from(*factor);
            }
            *place = Some(rows);
            content = &rest[64..];
        }
        Some(())
    }

    fn note_tables(&mut self, mut content: &[u8], tables: &mut Tables) -> Option<()> {
        while let Some((&kind, rest)) = content.split_first() {
            let counts = rest.get(..16)?;
            let length = 16 + counts.iter().map(|&count| usize::from(count)).sum::<usize>();
            let mut spec = vec![kind >> 4];
            spec.extend_from_slice(rest.get(..length)?);
            let place = self.tables.get_mut(usize::from(kind >> 4))?.get_mut(usize::from(kind & 15))?;
            *place = Some(tables.place(&spec)?);
            content = &rest[length..];
        }
        Some(())
    }

    /// The frame; there is one before the first scan.
    pub(super) fn frame(&self) -> Option<Frame> {
        let (is_progressive, content) = self.frame?;
        let (&[8, h1, h0, w1, w0, count], listed) = content.split_first_chunk()? else { return None };
        let (listed, rest) = listed.as_chunks::<3>();
        if listed.len() != usize::from(count) || !rest.is_empty() {
            return None;
        }
        let luma = match listed {
            // Alone in its scan, a component has MCUs of one block.
            [_] => [1, 1],
            [first, [_, 0x11, _], [_, 0x11, _]] => {
                let is_ycc = match self.adobe {
                    Some(transform) => transform == Some(1),
                    None => self.is_jfif || listed.iter().map(|entry| entry[0]).eq([1, 2, 3]),
                };
                match first[1] {
                    _ if !is_ycc => return None,
                    0x11 => [1, 1],
                    0x21 => [2, 1],
                    0x22 => [2, 2],
                    _ => return None,
                }
            }
            _ => return None,
        };
        let size = Size::new(u16::from_be_bytes([w1, w0]).into(), u16::from_be_bytes([h1, h0]).into());
        // Filters of colours are others where there are next to no columns.
        let is_wide = size.width >= 16 && size.height >= 16;
        let components = listed.iter().map(|&[id, _, factors]| [id, factors]).collect();
        is_wide.then_some(Frame { size, luma, components, is_progressive })
    }

    fn scan(&self, header: &[u8], data: usize) -> Option<Scan> {
        let (&count, selectors) = header.split_first()?;
        let (selectors, &[first, last, bits]) = selectors.split_at_checked(2 * usize::from(count))? else {
            return None;
        };
        let (_, frame) = self.frame?;
        let listed = frame.get(6..)?.as_chunks::<3>().0;
        let mut from = 0;
        let components = selectors.as_chunks::<2>().0.iter().map(|&[id, of]| {
            // They come in the order of the frame.
            let place = from + listed.get(from..)?.iter().position(|entry| entry[0] == id)?;
            from = place + 1;
            let table = |class: usize, number: u8| self.tables[class].get(usize::from(number)).copied();
            Some(Scanned { place, dc: table(0, of >> 4)?, ac: table(1, of & 15)? })
        });
        let band = [usize::from(first), usize::from(last)];
        let bits = [u32::from(bits >> 4), u32::from(bits & 15)];
        Some(Scan { components: components.collect::<Option<_>>()?, band, bits, data })
    }
}
