use libjpeg_turbo_rs::{Encoder, PixelFormat, Subsampling};

use super::*;
use crate::decode::{DecodeError, jpeg};
use crate::seed::{Key, Purpose, Rng};
use crate::simd::{self, Level};

fn rng(seed: u64) -> Rng {
    Key { seed, epoch: 0, position: 0, view: 0, op: 0, purpose: Purpose::Op }.rng()
}

/// A picture with edges, soft parts and noise.
fn picture(size: Size, channels: usize, rng: &mut Rng) -> Vec<u8> {
    let (width, noise) = (size.width as usize, 1 + rng.below(60));
    let mut pixels = vec![0; size.area() as usize * channels];
    for (at, value) in pixels.iter_mut().enumerate() {
        let (x, y) = (at / channels % width, at / channels / width);
        let edge = if (x / 13 + y / 9) % 5 == 0 { 120 } else { 0 };
        let soft = (x * (1 + at % channels) + 2 * y) as u64 % 256;
        *value = (soft / 2 + edge + rng.below(noise)).min(255) as u8;
    }
    pixels
}

fn encode(pixels: &[u8], size: Size, channels: usize, change: impl FnOnce(Encoder<'_>) -> Encoder<'_>) -> Vec<u8> {
    let format = if channels == 1 { PixelFormat::Grayscale } else { PixelFormat::Rgb };
    let encoder = Encoder::new(pixels, size.width as usize, size.height as usize, format);
    change(encoder).encode().expect("a picture that can be encoded")
}

fn complete(bytes: &[u8], size: Size, reduction: u32) -> Result<(Vec<u8>, Vec<String>), DecodeError> {
    let mut pixels = Vec::new();
    let warnings = jpeg::decode(&Limits::default(), size, reduction, bytes, &mut Vec::new(), &mut pixels)?;
    Ok((pixels, warnings))
}

fn whole(size: Size) -> Wanted {
    Wanted { excerpt: Excerpt::of(Window { x: 0, y: 0, size }), checked: true }
}

fn cut(pixels: &[u8], size: Size, window: Window) -> Vec<u8> {
    let rows = window.y..window.y + window.size.height;
    let row = |row: u32| {
        let start = (row * size.width + window.x) as usize * 3;
        &pixels[start..start + window.size.width as usize * 3]
    };
    rows.flat_map(row).copied().collect()
}

#[test]
fn the_fast_way_gives_the_bytes_of_the_complete_decoder_at_every_level_and_for_every_window() {
    let mut rng = rng(1);
    let mut decoder = Baseline::default();
    let mut pixels = Vec::new();
    for turn in 0..480 {
        let size = Size::new(16 + rng.below(120) as u32, 16 + rng.below(90) as u32);
        let kinds = [Some(Subsampling::S444), Some(Subsampling::S422), Some(Subsampling::S420), None];
        let kind = kinds[turn % 4];
        let channels = if kind.is_some() { 3 } else { 1 };
        let picture = picture(size, channels, &mut rng);
        // Below, factors take 16 bits, which no baseline file has.
        let (quality, optimised, progressive) = (25 + rng.below(76) as u8, rng.chance(0.5), rng.chance(0.5));
        let restarts = if progressive { 0 } else { rng.below(2) as u16 * (1 + rng.below(20) as u16) };
        let bytes = encode(&picture, size, channels, |encoder| {
            let encoder = encoder.quality(quality).optimize_huffman(optimised).progressive(progressive);
            let encoder = encoder.restart_blocks(restarts);
            kind.into_iter().fold(encoder, Encoder::subsampling)
        });
        // Every other one at its own size.
        let reduction = [1, 2, 1, 4, 1, 8][turn / 4 % 6];
        let named = format!(
            "{size} by {reduction}, {kind:?}, quality {quality}, progressive {progressive}, restarts {restarts}"
        );
        let (expected, warnings) = complete(&bytes, size, reduction).expect("a sound file");
        assert!(warnings.is_empty());
        let all = Excerpt { reduction, ..whole(size).excerpt };
        let few_columns = kind == Some(Subsampling::S422) && all.reduced(size).width < LEAST_MIXED;
        for level in Level::available() {
            // What other tests set meanwhile changes no byte either.
            simd::limit(level);
            let taken =
                decoder.decode(&Limits::default(), &bytes, size, Wanted { excerpt: all, checked: true }, &mut pixels);
            if few_columns {
                assert!(taken.is_none(), "{named}: left to the complete decoder");
                continue;
            }
            taken.expect("a file of the usual kind");
            assert!(pixels == expected, "{named}, {level:?}");
            for _ in 0..8 {
                let inner =
                    Size::new(1 + rng.below(size.width.into()) as u32, 1 + rng.below(size.height.into()) as u32);
                let x = rng.below(u64::from(size.width - inner.width) + 1) as u32;
                let y = rng.below(u64::from(size.height - inner.height) + 1) as u32;
                let excerpt = Excerpt { window: Window { x, y, size: inner }, reduction };
                let wanted = Wanted { excerpt, checked: rng.chance(0.5) };
                decoder.decode(&Limits::default(), &bytes, size, wanted, &mut pixels).expect("as before");
                let expected = cut(&expected, excerpt.reduced(size), excerpt.pixels());
                assert!(pixels == expected, "{named}, {level:?}, {wanted:?}");
            }
        }
        simd::limit(Level::Avx512);
    }
}

#[test]
fn what_the_complete_decoder_refuses_or_warns_of_is_left_to_it() {
    refused_or_warned_of(|encoder| encoder);
}

#[test]
fn what_it_refuses_or_warns_of_in_files_with_restarts_is_left_to_it_too() {
    refused_or_warned_of(|encoder| encoder.restart_blocks(3));
}

#[test]
fn what_it_refuses_or_warns_of_in_progressive_files_is_left_to_it_too() {
    refused_or_warned_of(|encoder| encoder.progressive(true));
}

fn refused_or_warned_of(change: impl FnOnce(Encoder<'_>) -> Encoder<'_>) {
    let mut rng = rng(2);
    let (mut decoder, mut pixels) = (Baseline::default(), Vec::new());
    let size = Size::new(70, 50);
    let picture = picture(size, 3, &mut rng);
    let sound = encode(&picture, size, 3, |encoder| change(encoder.quality(80).subsampling(Subsampling::S420)));
    let (mut taken, mut left) = (0, 0);
    let mut equal = 0;
    let mut check = |bytes: &[u8], what: &str| {
        let Ok(header) = crate::header::read(bytes) else { return };
        simd::limit(Level::Baseline);
        let plain = decoder
            .decode(&Limits::default(), bytes, header.size, whole(header.size), &mut pixels)
            .map(|_| pixels.clone());
        simd::limit(Level::Avx512);
        if decoder.decode(&Limits::default(), bytes, header.size, whole(header.size), &mut pixels).is_none() {
            assert_eq!(plain, None, "{what}: only the plain one takes it");
            left += 1;
            return;
        }
        taken += 1;
        let (expected, warnings) = complete(bytes, header.size, 1).unwrap_or_else(|error| panic!("{what}: {error}"));
        assert!(warnings.is_empty(), "{what}: {warnings:?}");
        assert!(plain.is_some_and(|plain| plain == pixels), "{what}: not the bytes of the plain one");
        equal += usize::from(pixels == expected);
    };
    for end in 0..sound.len() {
        check(&sound[..end], &format!("the first {end} bytes"));
    }
    for turn in 0..4000 {
        let mut bytes = sound.clone();
        for _ in 0..=rng.below(3) {
            let at = rng.below(bytes.len() as u64) as usize;
            bytes[at] = match turn % 3 {
                0 => rng.below(256) as u8,
                1 => bytes[at] ^ 1 << rng.below(8),
                _ => [0, 0xff, 0xd0, 0xd9][rng.below(4) as usize],
            };
        }
        check(&bytes, &format!("damage {turn}"));
    }
    assert!(taken > 100 && left > 1000, "{taken} taken, {left} left: neither may be all");
    // Damage that makes coefficients larger than any encoder does overflows, in the complete decoder by 16 bits, here by 32.
    assert!(equal > taken * 3 / 4, "{equal} of {taken} have the bytes of the complete decoder");
}

#[test]
fn other_kinds_of_files_are_left_to_the_complete_decoder() {
    let mut rng = rng(3);
    let size = Size::new(40, 33);
    let colours = picture(size, 3, &mut rng);
    let taken = |size: Size, change: &dyn Fn(Encoder<'_>) -> Encoder<'_>| {
        let bytes = encode(&colours[..size.area() as usize * 3], size, 3, change);
        Baseline::default().decode(&Limits::default(), &bytes, size, whole(size), &mut Vec::new()).is_some()
    };
    assert!(taken(size, &|encoder| encoder));
    assert!(taken(size, &|encoder| encoder.progressive(true)));
    assert!(taken(size, &|encoder| encoder.restart_rows(1)));
    assert!(!taken(size, &|encoder| encoder.progressive(true).restart_rows(1)));
    assert!(!taken(size, &|encoder| encoder.subsampling(Subsampling::S440)));
    assert!(!taken(size, &|encoder| encoder.subsampling(Subsampling::S411)));
    assert!(!taken(size, &|encoder| encoder.colorspace(libjpeg_turbo_rs::ColorSpace::Rgb)));
    assert!(!taken(Size::new(15, 33), &|encoder| encoder));
    let little = Limits { max_alloc: 4000, ..Limits::default() };
    let bytes = encode(&colours, size, 3, |encoder| encoder);
    assert!(
        Baseline::default().decode(&little, &bytes, size, whole(size), &mut Vec::new()).is_none(),
        "too little memory"
    );
}

#[test]
fn restarts_are_as_many_as_the_file_says_or_it_is_left_to_the_complete_decoder() {
    let mut rng = rng(6);
    let size = Size::new(70, 50);
    let picture = picture(size, 3, &mut rng);
    let mut bytes = encode(&picture, size, 3, |encoder| encoder.restart_blocks(3));
    let at = bytes.windows(4).position(|bytes| bytes == [0xff, 0xdd, 0, 4]).expect("an interval") + 5;
    let mut taken = |interval: u8| {
        bytes[at] = interval;
        Baseline::default().decode(&Limits::default(), &bytes, size, whole(size), &mut Vec::new()).is_some()
    };
    assert_eq!([0, 1, 2, 3, 4, 255].map(&mut taken), [false, false, false, true, false, false]);
}

#[test]
fn damage_behind_a_window_is_found_if_asked_for() {
    let mut rng = rng(4);
    let size = Size::new(64, 256);
    let picture = picture(size, 3, &mut rng);
    let mut bytes = encode(&picture, size, 3, |encoder| encoder.quality(90).subsampling(Subsampling::S420));
    // Cut before the end, and closed again.
    bytes.truncate(bytes.len() - 200);
    bytes.extend([0xff, 0xd9]);
    let top = Window { x: 0, y: 0, size: Size::new(64, 32) };
    let decoded = |checked| {
        let wanted = Wanted { excerpt: Excerpt::of(top), checked };
        Baseline::default().decode(&Limits::default(), &bytes, size, wanted, &mut Vec::new()).is_some()
    };
    assert_eq!((decoded(true), decoded(false)), (false, true));
}

#[test]
fn a_file_of_many_tables_takes_no_memory_for_them() {
    let mut rng = rng(5);
    let size = Size::new(32, 32);
    let bytes = encode(&picture(size, 3, &mut rng), size, 3, |encoder| encoder);
    // Tables of one code for one symbol, each another one.
    let table = |symbol: u8| {
        let mut segment = vec![0xff, 0xc4, 0, 20, 0x13, 1];
        segment.extend([0; 15]);
        segment.push(symbol);
        segment
    };
    let with = |count: u8| [&bytes[..2], &(0..count).flat_map(table).collect::<Vec<u8>>(), &bytes[2..]].concat();
    let mut decoder = Baseline::default();
    let mut taken =
        |bytes: &[u8]| decoder.decode(&Limits::default(), bytes, size, whole(size), &mut Vec::new()).is_some();
    assert!(taken(&with(2)));
    assert!(!taken(&with(200)));
    assert!(taken(&bytes), "the next file has room again");
}
