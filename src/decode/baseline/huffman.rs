/// Bits that one look into the table sees: a code of that length or shorter, and most often its number too.
const LOOK: u32 = 10;

/// As long as what a shift looks at, so that no instruction masks it.
const LENGTH: u32 = 0x3f;
const KIND: u32 = 3 << 6;
/// The code is longer than the look.
const LONG: u32 = 0;
/// Code and number were seen: consume all of it, skip the zeros, store the number. Sixteen zeros are fifteen and the number 0.
const NUMBER: u32 = 1 << 6;
/// The code was seen, its number is to be read.
const CODE: u32 = 2 << 6;
const END_OF_BLOCK: u32 = 3 << 6;

/// A Huffman table, for runs and numbers of AC coefficients or for differences of DC coefficients (no runs, no end of block).
pub(super) struct Table {
    /// By the next [`LOOK`] bits: bits to consume, kind, run or symbol (bits 8 to 15), number (16 to 31).
    looks: [u32; 1 << LOOK],
    /// By the same bits: length of the code (bits 8 to 15) and symbol, for scans that do not read numbers behind all codes. 0 if it is longer.
    codes: [u16; 1 << LOOK],
    /// By length: one more than the last code of up to this length, as the first of 16 bits.
    ends: [u32; 17],
    /// By length: what leads from a code to its symbol.
    offsets: [i32; 17],
    symbols: Vec<u8>,
}

impl Table {
    /// Of the content of a segment: how many codes there are of each length, and the symbols. None if codes of these lengths can't be.
    pub(super) fn new(is_dc: bool, counts: &[u8; 16], symbols: &[u8]) -> Option<Table> {
        let mut table = Table {
            looks: [LONG; 1 << LOOK],
            codes: [0; 1 << LOOK],
            ends: [0; 17],
            offsets: [0; 17],
            symbols: symbols.to_vec(),
        };
        let (mut code, mut at) = (0_u32, 0_usize);
        for length in 1..=16_u32 {
            let count = usize::from(counts[length as usize - 1]);
            table.offsets[length as usize] = at as i32 - code as i32;
            for &symbol in symbols.get(at..at + count)? {
                if is_dc && symbol > 15 {
                    return None;
                }
                table.fill(is_dc, code, length, symbol);
                code += 1;
            }
            at += count;
            // The code of ones alone is nobody's, and no code is longer than its length.
            if code > 1 << length {
                return None;
            }
            table.ends[length as usize] = code << (16 - length);
            code <<= 1;
        }
        (at == symbols.len()).then_some(table)
    }

    fn fill(&mut self, is_dc: bool, code: u32, length: u32, symbol: u8) {
        let Some(spare) = LOOK.checked_sub(length) else { return };
        let first = (code << spare) as usize;
        let (run, size) = (u32::from(symbol >> 4), u32::from(symbol & 15));
        for rest in 0..1_u32 << spare {
            let Some(look) = self.looks.get_mut(first + rest as usize) else { return };
            self.codes[first + rest as usize] = (length as u16) << 8 | u16::from(symbol);
            *look = match (run, size) {
                (15, 0) if !is_dc => NUMBER | length | 15 << 8,
                (_, 0) if is_dc => NUMBER | length,
                (0, 0) => END_OF_BLOCK | length,
                _ if size > 0 && size <= spare => {
                    let number = extended(rest >> (spare - size), size);
                    NUMBER | (length + size) | run << 8 | (number as u32) << 16
                }
                _ => CODE | length | u32::from(symbol) << 8,
            };
        }
    }

    /// The symbol of a code longer than the look, at the head of 16 bits, and its length.
    #[cold]
    fn long(&self, head: u32) -> Option<(u32, u32)> {
        let length = (LOOK as usize + 1..=16).find(|&length| head < self.ends[length])?;
        let code = (head >> (16 - length)) as i32;
        let symbol = self.symbols.get(usize::try_from(code + self.offsets[length]).ok()?)?;
        Some((u32::from(*symbol), length as u32))
    }
}

/// The number that `bits` of `size` stand for: those with a zero ahead are negative.
#[inline(always)]
fn extended(bits: u32, size: u32) -> i32 {
    let bits = bits as i32;
    if bits < 1 << (size - 1) { bits - (1 << size) + 1 } else { bits }
}

/// Reads entropy-coded data, stuffed bytes taken out and [`PADDING`] zeros put behind it.
#[derive(Clone, Copy)]
pub(super) struct Bits<'a> {
    data: &'a [u8],
    at: usize,
    /// The next bits, the first one on top; those below `count` are data too, or zero.
    buffer: u64,
    count: u32,
}

/// More bytes than the blocks of one MCU can take, so that a look at the end of each is enough: 10 blocks of 64 coefficients of 32 bits.
pub(super) const PADDING: usize = 10 * 64 * 4 + 16;

impl<'a> Bits<'a> {
    /// From byte `at` on.
    pub(super) fn at(data: &'a [u8], at: usize) -> Bits<'a> {
        Bits { data, at, buffer: 0, count: 0 }
    }

    /// Bits read so far.
    #[inline(always)]
    pub(super) fn position(&self) -> usize {
        8 * self.at - self.count as usize
    }

    /// Has at least 56 bits afterwards.
    #[inline(always)]
    fn refill(&mut self) {
        if let Some(word) = self.data.get(self.at..).and_then(|rest| rest.first_chunk()) {
            self.buffer |= u64::from_be_bytes(*word) >> self.count;
            self.at += ((63 - self.count) >> 3) as usize;
            self.count |= 56;
        }
    }

    #[inline(always)]
    fn head(&self, bits: u32) -> u32 {
        (self.buffer >> (64 - bits)) as u32
    }

    #[inline(always)]
    fn consume(&mut self, bits: u32) {
        self.buffer <<= bits;
        // Past the padding a file is refused anyway.
        self.count = self.count.wrapping_sub(bits) & 63;
    }

    /// Up to 15 bits.
    #[inline(always)]
    pub(super) fn bits(&mut self, count: u32) -> u32 {
        if count == 0 {
            return 0;
        }
        if self.count < count {
            self.refill();
        }
        let bits = self.head(count);
        self.consume(count);
        bits
    }

    /// The next symbol, its code consumed; a number behind it can be read at once. None if there is no such code.
    #[inline(always)]
    pub(super) fn symbol(&mut self, table: &Table) -> Option<u32> {
        self.refill();
        let code = u32::from(table.codes[self.head(LOOK) as usize]);
        let (symbol, length) = if code > 0 { (code & 0xff, code >> 8) } else { table.long(self.head(16))? };
        self.consume(length);
        Some(symbol)
    }

    /// A number of 1 to 15 bits, which are there.
    #[inline(always)]
    pub(super) fn number(&mut self, size: u32) -> i32 {
        let number = extended(self.head(size), size);
        self.consume(size);
        number
    }

    /// The next symbol as it stands in a table, its code consumed; a number is left to be read.
    #[inline(always)]
    fn code(&mut self, table: &Table, look: u32) -> Option<u32> {
        let (symbol, length) = match look & KIND {
            LONG => table.long(self.head(16))?,
            _ => (look >> 8 & 0xff, look & LENGTH),
        };
        self.consume(length);
        Some(symbol)
    }

    /// Reads the difference of a first coefficient from the last one of its component. Returns the coefficient.
    #[inline(always)]
    pub(super) fn difference(&mut self, dc: &Table, predicted: &mut i16) -> Option<i16> {
        self.refill();
        let look = dc.looks[self.head(LOOK) as usize];
        let difference = if look & KIND == NUMBER {
            self.consume(look & LENGTH);
            look as i32 >> 16
        } else {
            match self.code(dc, look)? {
                0 => 0,
                size => self.number(size),
            }
        };
        *predicted = predicted.wrapping_add(difference as i16);
        Some(*predicted)
    }

    /// Reads the coefficients of a block, in rows; `coefficients` are zero before. Returns the place, in the order of the file, of the
    /// last that is not zero, or one behind it; and the reader behind the block, by value, which keeps it
    /// in registers. None if there is no such code or there are too many coefficients.
    #[inline(always)]
    pub(super) fn block<const STORE: bool>(
        mut self,
        dc: &Table,
        ac: &Table,
        predicted: &mut i16,
        coefficients: &mut [i16; 64],
    ) -> Option<(usize, Self)> {
        let first = self.difference(dc, predicted)?;
        if STORE {
            coefficients[0] = first;
        }
        let (mut place, mut last) = (1_usize, 0_usize);
        while place < 64 {
            // 56 bits: two numbers of at most 10 bits, and one of at most 31.
            self.refill();
            for _ in 0..3 {
                let look = ac.looks[self.head(LOOK) as usize];
                if look & KIND == NUMBER {
                    self.consume(look & LENGTH);
                    place += (look >> 8 & 15) as usize;
                    if STORE {
                        coefficients[usize::from(ROWS_FIRST[place] & 63)] = (look >> 16) as i16;
                    }
                    last = place;
                    place += 1;
                    if place >= 64 {
                        break;
                    }
                    continue;
                }
                if look & KIND == END_OF_BLOCK {
                    self.consume(look & LENGTH);
                    return Some((last, self));
                }
                match self.code(ac, look)? {
                    0 => return Some((last, self)),
                    0xf0 => place += 16,
                    symbol => {
                        // Runs without a number mean nothing.
                        let size = symbol & 15;
                        if size == 0 {
                            return None;
                        }
                        let number = self.number(size);
                        place += (symbol >> 4) as usize;
                        if STORE {
                            coefficients[usize::from(ROWS_FIRST[place] & 63)] = number as i16;
                        }
                        last = place;
                        place += 1;
                    }
                }
                break;
            }
        }
        (place == 64).then_some((last, self))
    }
}

/// Where the coefficients of a file, in zigzag, stand in rows; behind the last one room for the longest run, which is refused later.
pub(super) const ROWS_FIRST: [u8; 80] = {
    let mut places = [63; 80];
    let (mut row, mut column, mut at) = (0_usize, 0_usize, 0_usize);
    while at < 64 {
        places[at] = (8 * row + column) as u8;
        let up = (row + column).is_multiple_of(2);
        match (up, row, column) {
            (true, _, 7) => row += 1,
            (true, 0, _) => column += 1,
            (true, ..) => (row, column) = (row - 1, column + 1),
            (false, 7, _) => column += 1,
            (false, _, 0) => row += 1,
            (false, ..) => (row, column) = (row + 1, column - 1),
        }
        at += 1;
    }
    places
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coefficients_go_by_diagonals() {
        let zigzag = [0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25];
        assert_eq!(ROWS_FIRST[..12], zigzag);
        let mut sorted = ROWS_FIRST[..64].to_vec();
        sorted.sort_unstable();
        assert!(sorted.iter().copied().eq(0..64));
    }

    #[test]
    fn numbers_with_a_zero_ahead_are_negative() {
        assert_eq!([0, 1, 2, 3].map(|bits| extended(bits, 2)), [-3, -2, 2, 3]);
        assert_eq!([0, 1].map(|bits| extended(bits, 1)), [-1, 1]);
        assert_eq!(extended(0, 15), -32767);
    }

    #[test]
    fn codes_that_cannot_be_are_refused() {
        let mut counts = [0; 16];
        counts[0] = 3;
        assert!(Table::new(false, &counts, &[1, 2, 3]).is_none(), "three codes of one bit");
        counts[0] = 1;
        assert!(Table::new(false, &counts, &[]).is_none(), "a code without a symbol");
        assert!(Table::new(true, &counts, &[16]).is_none(), "a difference of 16 bits");
        assert!(Table::new(true, &counts, &[15]).is_some());
    }

    #[test]
    fn long_codes_and_long_numbers_are_read_like_short_ones() {
        // Codes of 1 to 16 bits: 0, 10, 110 ... ; each a run of its place and a number of 11 bits at most.
        let counts = [1; 16];
        let symbols: Vec<u8> = (0..16).map(|place| (place % 4) << 4 | (place % 11 + 1)).collect();
        let ac = Table::new(false, &counts, &symbols).expect("a table");
        let dc = Table::new(true, &counts, &(0..16).map(|place| place % 12).collect::<Vec<u8>>()).expect("a table");
        let (mut written, mut expected) = (String::new(), [0_i16; 64]);
        // A difference of 5 bits, then a coefficient of each code.
        written += &("1".repeat(5) + "0" + "10110");
        expected[0] = 0b10110;
        let mut place = 1;
        for (code, symbol) in symbols.iter().enumerate() {
            let size = usize::from(symbol & 15);
            written += &("1".repeat(code) + "0" + "1" + &"0".repeat(size - 1));
            place += usize::from(symbol >> 4);
            expected[usize::from(ROWS_FIRST[place])] = 1 << (size - 1);
            place += 1;
        }
        for rest in place..64 {
            // No run, and the number -1: the code of the first symbol.
            written += "00";
            expected[usize::from(ROWS_FIRST[rest])] = -1;
        }
        let mut bytes: Vec<u8> = written
            .as_bytes()
            .chunks(8)
            .map(|bits| bits.iter().enumerate().fold(0, |byte, (at, bit)| byte | (bit - b'0') << (7 - at)))
            .collect();
        bytes.resize(bytes.len() + PADDING, 0);
        let (mut found, mut predicted) = ([0; 64], 0);
        let read = Bits::at(&bytes, 0).block::<true>(&dc, &ac, &mut predicted, &mut found);
        let (last, bits) = read.expect("a block");
        assert_eq!(last, 63);
        assert_eq!((found, bits.position()), (expected, written.len()));
        let mut predicted = 0;
        let skipped = Bits::at(&bytes, 0).block::<false>(&dc, &ac, &mut predicted, &mut [0; 64]);
        let (last, skipped) = skipped.expect("a block");
        assert_eq!(last, 63);
        assert_eq!((skipped.position(), predicted), (written.len(), expected[0]));
    }
}
