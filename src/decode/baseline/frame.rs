use super::huffman::{ROWS_FIRST, Table};
use crate::header::{Segment, Segments, is_frame};
use crate::image::Size;

/// What the segments before the only scan say, of a file of the kind that nearly all are of: baseline, 8 bits, one scan, no restarts; gray,
/// or YCbCr whose colours have all, half of the columns, or half of the columns and rows.
pub(super) struct Frame {
    pub(super) size: Size,
    /// Blocks of an MCU that are brightness, across and down: 1 or 2.
    pub(super) luma: [usize; 2],
    /// One or three.
    pub(super) components: Vec<Component>,
    /// Where the entropy-coded data begins.
    pub(super) data: usize,
}

pub(super) struct Component {
    /// Factors of the coefficients, in rows.
    pub(super) factors: [i32; 64],
    /// Places of the tables among those of [`Tables`].
    pub(super) dc: usize,
    pub(super) ac: usize,
}

/// Huffman tables by what they are made of: most files of a dataset have the same.
#[derive(Default)]
pub(super) struct Tables {
    known: Vec<(Vec<u8>, Table)>,
}

/// Tables kept from one file to the next.
const MOST_KNOWN: usize = 16;

impl Tables {
    pub(super) fn get(&self, place: usize) -> &Table {
        &self.known[place].1
    }

    /// The place of the table that `spec` describes: class, 16 counts, symbols.
    fn place(&mut self, spec: &[u8]) -> Option<usize> {
        if let Some(place) = self.known.iter().position(|(known, _)| known == spec) {
            return Some(place);
        }
        let (class, rest) = spec.split_first()?;
        let (counts, symbols) = rest.split_first_chunk()?;
        let table = Table::new(*class == 0, counts, symbols)?;
        self.known.push((spec.to_vec(), table));
        Some(self.known.len() - 1)
    }

    /// Reads the segments up to the scan. None if the file is of another kind, or not as it should be.
    pub(super) fn frame(&mut self, bytes: &[u8]) -> Option<Frame> {
        if self.known.len() > MOST_KNOWN {
            self.known.clear();
        }
        let mut factors = [None; 4];
        // By class and number.
        let mut tables = [[None; 4]; 2];
        let (mut frame, mut is_jfif, mut adobe) = (None, false, None);
        let mut segments = Segments::new(bytes);
        let mut at = 2;
        while let Ok(Some(Segment { marker, content, end })) = segments.next() {
            // Stray bytes between segments are worth a warning.
            if end != at + 4 + content.len() {
                return None;
            }
            at = end;
            match marker {
                0xdb => note_factors(content, &mut factors)?,
                0xc4 => self.note_tables(content, &mut tables)?,
                0xc0 if frame.is_none() => frame = Some(content),
                other if is_frame(other) => return None,
                // Restarts, a height that comes later, arithmetic coding, hierarchies: not here.
                0xd0..=0xd9 | 0xdc | 0xcc | 0xde | 0xdf => return None,
                0xdd if content != [0, 0] => return None,
                0xe0 => is_jfif |= content.starts_with(b"JFIF\0"),
                0xee if content.starts_with(b"Adobe") => adobe = Some(content.get(11).copied()),
                0xda => return scan(frame?, content, (is_jfif, adobe), &factors, &tables, end),
                _ => {}
            }
        }
        None
    }

    fn note_tables(&mut self, mut content: &[u8], tables: &mut [[Option<usize>; 4]; 2]) -> Option<()> {
        while let Some((&kind, rest)) = content.split_first() {
            let counts = rest.get(..16)?;
            let length = 16 + counts.iter().map(|&count| usize::from(count)).sum::<usize>();
            let mut spec = vec![kind >> 4];
            spec.extend_from_slice(rest.get(..length)?);
            *tables.get_mut(usize::from(kind >> 4))?.get_mut(usize::from(kind & 15))? = Some(self.place(&spec)?);
            content = &rest[length..];
        }
        Some(())
    }
}

fn note_factors(mut content: &[u8], factors: &mut [Option<[i32; 64]>; 4]) -> Option<()> {
    while let Some((&kind, rest)) = content.split_first() {
        // Those of 16 bits have a kind of 16 and above.
        let place = factors.get_mut(usize::from(kind))?;
        let mut rows = [0; 64];
        for (factor, &row) in rest.get(..64)?.iter().zip(&ROWS_FIRST) {
            rows[usize::from(row)] = i32::from(*factor);
        }
        *place = Some(rows);
        content = &rest[64..];
    }
    Some(())
}

fn scan(
    frame: &[u8],
    header: &[u8],
    (is_jfif, adobe): (bool, Option<Option<u8>>),
    factors: &[Option<[i32; 64]>; 4],
    tables: &[[Option<usize>; 4]; 2],
    data: usize,
) -> Option<Frame> {
    let (&[8, h1, h0, w1, w0, count], listed) = frame.split_first_chunk()? else { return None };
    let (listed, rest) = listed.as_chunks::<3>();
    let (&scanned, selectors) = header.split_first()?;
    let (selectors, [0, 63, 0]) = selectors.split_at_checked(2 * usize::from(scanned))? else { return None };
    let (selectors, _) = selectors.as_chunks::<2>();
    if listed.len() != usize::from(count) || !rest.is_empty() || selectors.len() != listed.len() {
        return None;
    }
    let luma = match listed {
        // Alone in its scan, a component has MCUs of one block.
        [_] => [1, 1],
        [first, [_, 0x11, _], [_, 0x11, _]] => {
            let is_ycc = match adobe {
                Some(transform) => transform == Some(1),
                None => is_jfif || listed.iter().map(|entry| entry[0]).eq([1, 2, 3]),
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
    let components = listed.iter().zip(selectors).map(|(&[id, _, place], &[selected, of])| {
        let table = |class: usize, number: u8| tables[class].get(usize::from(number)).copied().flatten();
        let factors = (*factors.get(usize::from(place))?)?;
        (id == selected).then_some(Component { factors, dc: table(0, of >> 4)?, ac: table(1, of & 15)? })
    });
    let size = Size::new(u16::from_be_bytes([w1, w0]).into(), u16::from_be_bytes([h1, h0]).into());
    // Filters of colours are others where there are next to no columns.
    let is_wide = size.width >= 16 && size.height >= 16;
    is_wide.then_some(Frame { size, luma, components: components.collect::<Option<_>>()?, data })
}
