use crate::simd::{Kernel, Level};

/// Channels of the images that are looked up.
const CHANNELS: usize = 3;
/// Pixels of a strip: their bytes and what one channel becomes stay in the nearest cache.
const STRIP: usize = 1024;

/// What each of the 256 values of an 8-bit image becomes as a float, for each of three channels.
pub(super) struct Lookup {
    tables: [[f32; 256]; CHANNELS],
    /// The same as [`wide`] looks it up: the first bytes of all 256, then their second ones, and so on.
    #[cfg(target_arch = "x86_64")]
    bytes: [[[u8; 256]; 4]; CHANNELS],
}

impl Lookup {
    /// None if there are not three tables.
    pub(super) fn new(tables: &[[f32; 256]]) -> Option<Box<Lookup>> {
        let tables: [[f32; 256]; CHANNELS] = tables.try_into().ok()?;
        Some(Box::new(Lookup {
            tables,
            #[cfg(target_arch = "x86_64")]
            bytes: tables.map(|table| std::array::from_fn(|byte| table.map(|x| x.to_le_bytes()[byte]))),
        }))
    }

    /// Looks all of `pixels` up, some of them at a time: `take` gets a channel, the number of the first pixel, and the numbers.
    pub(super) fn strips(&self, pixels: &[[u8; CHANNELS]], take: impl FnMut(usize, usize, &[f32])) {
        self.strips_at(Level::current(), pixels, take);
    }

    fn strips_at(&self, level: Level, pixels: &[[u8; CHANNELS]], mut take: impl FnMut(usize, usize, &[f32])) {
        let is_wide = level.min(Level::detected()) == Level::Avx512;
        let mut strip = [0.0; STRIP];
        for (index, pixels) in pixels.chunks(STRIP).enumerate() {
            for channel in 0..CHANNELS {
                let strip = &mut strip[..pixels.len()];
                let done = match is_wide {
                    #[cfg(target_arch = "x86_64")]
                    // SAFETY: the processor has the instructions of that level.
                    #[allow(unsafe_code)]
                    true => unsafe { wide::look_up(pixels, channel, &self.bytes[channel], strip) },
                    _ => 0,
                };
                let table = &self.tables[channel];
                let rest = strip[done..].iter_mut().zip(&pixels[done..]);
                rest.for_each(|(out, pixel)| *out = table[usize::from(pixel[channel])]);
                take(channel, index * STRIP, strip);
            }
        }
    }
}

/// Puts the channels of `pixels` one after the other.
pub(super) fn split(pixels: &[[u8; CHANNELS]], out: &mut [u8]) {
    Split { pixels, out }.dispatch();
}

struct Split<'a> {
    pixels: &'a [[u8; CHANNELS]],
    out: &'a mut [u8],
}

impl Kernel for Split<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let (first, rest) = self.out.split_at_mut(self.pixels.len());
        let (second, third) = rest.split_at_mut(self.pixels.len());
        for (((pixel, a), b), c) in self.pixels.iter().zip(first).zip(second).zip(third) {
            (*a, *b, *c) = (pixel[0], pixel[1], pixel[2]);
        }
    }
}

/// A table of 256 numbers stands in sixteen registers, byte by byte; a byte of 64 numbers is found at once.
#[cfg(target_arch = "x86_64")]
mod wide {
    use std::arch::x86_64::*;

    use super::CHANNELS;

    /// Pixels that are looked up at once.
    const GROUP: usize = 64;

    /// Where 64 values of a channel stand among the bytes of their pixels.
    struct Places {
        /// Those among the first 128 bytes.
        first: [u8; GROUP],
        /// Those behind, from there.
        rest: [u8; GROUP],
        /// Which are behind.
        is_rest: u64,
    }

    /// In the order in which [`numbers`] leaves them in theirs.
    const PLACES: [Places; CHANNELS] = [Places::of(0), Places::of(1), Places::of(2)];

    impl Places {
        const fn of(channel: usize) -> Places {
            let mut places = Places { first: [0; GROUP], rest: [0; GROUP], is_rest: 0 };
            let mut at = 0;
            while at < GROUP {
                let (lane, number, one) = (at / 16, at % 16 / 4, at % 4);
                let byte = (16 * number + 4 * lane + one) * CHANNELS + channel;
                if byte < 128 {
                    places.first[at] = byte as u8;
                } else {
                    places.rest[at] = (byte - 128) as u8;
                    places.is_rest |= 1 << at;
                }
                at += 1;
            }
            places
        }
    }

    /// Looks up a channel of the first pixels, and returns how many: all of whole groups.
    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
    pub(super) fn look_up(pixels: &[[u8; CHANNELS]], channel: usize, table: &[[u8; 256]; 4], out: &mut [f32]) -> usize {
        let (groups, out) =
            (pixels.as_flattened().as_chunks::<{ GROUP * CHANNELS }>().0, out.as_chunks_mut::<GROUP>().0);
        let places = &PLACES[channel];
        let (first, rest) = (load(&places.first), load(&places.rest));
        let table = [quarters(&table[0]), quarters(&table[1]), quarters(&table[2]), quarters(&table[3])];
        for (group, out) in groups.iter().zip(out) {
            let bytes = group.as_chunks::<64>().0;
            let values = _mm512_permutex2var_epi8(load(&bytes[0]), first, load(&bytes[1]));
            let values = _mm512_mask_permutexvar_epi8(values, places.is_rest, rest, load(&bytes[2]));
            let found = [
                found(&table[0], values),
                found(&table[1], values),
                found(&table[2], values),
                found(&table[3], values),
            ];
            store(numbers(found), out);
        }
        groups.len() * GROUP
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    fn quarters(bytes: &[u8; 256]) -> [__m512i; 4] {
        let quarters = bytes.as_chunks::<64>().0;
        [load(&quarters[0]), load(&quarters[1]), load(&quarters[2]), load(&quarters[3])]
    }

    /// What 64 values become by a table of 256 bytes.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
    fn found(quarters: &[__m512i; 4], values: __m512i) -> __m512i {
        let lower = _mm512_permutex2var_epi8(quarters[0], values, quarters[1]);
        let upper = _mm512_permutex2var_epi8(quarters[2], values, quarters[3]);
        // An index has seven bits; the eighth says which half of the table.
        _mm512_mask_blend_epi8(_mm512_movepi8_mask(values), lower, upper)
    }

    /// 64 numbers of which the first, second, third and fourth bytes are given, those of each 16 numbers in every fourth of a register.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    fn numbers(bytes: [__m512i; 4]) -> [__m512i; 4] {
        let [a, b, c, d] = bytes;
        let (low, low_above) = (_mm512_unpacklo_epi8(a, b), _mm512_unpackhi_epi8(a, b));
        let (high, high_above) = (_mm512_unpacklo_epi8(c, d), _mm512_unpackhi_epi8(c, d));
        [
            _mm512_unpacklo_epi16(low, high),
            _mm512_unpackhi_epi16(low, high),
            _mm512_unpacklo_epi16(low_above, high_above),
            _mm512_unpackhi_epi16(low_above, high_above),
        ]
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    fn load(bytes: &[u8; 64]) -> __m512i {
        // SAFETY: there are 64 bytes.
        #[allow(unsafe_code)]
        unsafe {
            _mm512_loadu_si512(bytes.as_ptr().cast())
        }
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    fn store(numbers: [__m512i; 4], out: &mut [f32; GROUP]) {
        for (numbers, out) in numbers.into_iter().zip(out.as_chunks_mut::<16>().0) {
            // SAFETY: there are 64 bytes.
            #[allow(unsafe_code)]
            unsafe {
                _mm512_storeu_si512(out.as_mut_ptr().cast(), numbers);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_level_finds_what_is_in_the_tables() {
        let tables: [[f32; 256]; 3] =
            std::array::from_fn(|channel| std::array::from_fn(|x| (x as f32 / 255.0 - 0.4) / (0.2 + channel as f32)));
        let lookup = Lookup::new(&tables).expect("three tables");
        // All values, in every place of a group.
        for pixels in [0, 1, 63, 64, 65, 256, 1023, 1024, 3000] {
            let image: Vec<[u8; 3]> = (0..pixels).map(|at: usize| [at, at * 7 + 3, at / 3].map(|x| x as u8)).collect();
            for level in Level::available() {
                let mut out = [const { Vec::new() }; 3];
                lookup.strips_at(level, &image, |channel, first, numbers| {
                    assert_eq!(out[channel].len(), first);
                    out[channel].extend_from_slice(numbers);
                });
                for (channel, out) in out.iter().enumerate() {
                    let expected: Vec<f32> = image.iter().map(|p| tables[channel][usize::from(p[channel])]).collect();
                    assert_eq!(*out, expected, "{level:?}, channel {channel}, {pixels} pixels");
                }
            }
        }
        assert!(Lookup::new(&tables[..1]).is_none());
    }

    #[test]
    fn every_level_puts_channels_one_after_the_other() {
        for pixels in [0, 1, 63, 64, 1000] {
            let image: Vec<[u8; 3]> = (0..pixels).map(|at: usize| [at, at * 7 + 3, at / 3].map(|x| x as u8)).collect();
            let expected: Vec<u8> = (0..3).flat_map(|channel| image.iter().map(move |pixel| pixel[channel])).collect();
            for level in Level::available() {
                let mut out = vec![9; 3 * pixels];
                Split { pixels: &image, out: &mut out }.run_at(level);
                assert_eq!(out, expected, "{level:?}, {pixels} pixels");
            }
        }
    }
}
