use feedline_proto::v1::Normalization;

use super::text::shorten;
use super::*;
use crate::tensor::Layout;

const RED: [u8; 3] = [200, 30, 20];

/// Values of an image of one colour.
fn plain(size: Size, colour: [u8; 3]) -> Vec<u8> {
    colour.repeat(size.area() as usize)
}

fn tile<'a>(size: Size, pixels: &'a [u8], caption: &[&str]) -> Tile<'a> {
    Tile {
        image: Rgb8View::new(size, pixels).unwrap(),
        caption: caption.iter().map(|line| (*line).to_owned()).collect(),
    }
}

/// Least and greatest coordinates of the pixels of one colour, the greatest not included.
fn extent(size: Size, rgb: &[u8], colour: [u8; 3]) -> ((u32, u32), (u32, u32)) {
    let found: Vec<(u32, u32)> = rgb
        .chunks_exact(3)
        .zip(0..)
        .filter(|(pixel, _)| *pixel == colour)
        .map(|(_, i): (_, u32)| (i % size.width, i / size.width))
        .collect();
    let (xs, ys) = (found.iter().map(|p| p.0), found.iter().map(|p| p.1));
    ((xs.clone().min().unwrap(), ys.clone().min().unwrap()), (xs.max().unwrap() + 1, ys.max().unwrap() + 1))
}

#[test]
fn a_grid_has_as_many_columns_as_asked_for_and_no_more_than_tiles() {
    let size = Size::new(40, 40);
    let pixels = plain(size, RED);
    let tiles = vec![tile(size, &pixels, &[]); 5];
    let width = |columns: u32| 2 * MARGIN + columns * 100 + (columns - 1) * GAP;
    for (columns, wide, high) in [(1, 1, 5), (3, 3, 2), (5, 5, 1), (9, 5, 1), (0, 1, 5)] {
        let (sheet, rgb) = grid(&tiles, columns, 100).unwrap();
        assert_eq!(sheet, Size::new(width(wide), width(high)), "{columns} columns");
        assert_eq!(rgb.len() as u64, sheet.area() * 3);
    }
}

#[test]
fn an_image_keeps_its_aspect_and_stands_in_the_middle_of_its_tile() {
    for (size, scaled) in [
        (Size::new(80, 40), Size::new(100, 50)),
        (Size::new(400, 800), Size::new(50, 100)),
        (Size::new(100, 100), Size::new(100, 100)),
        (Size::new(3000, 1), Size::new(100, 1)),
    ] {
        let pixels = plain(size, RED);
        let (sheet, rgb) = grid(&[tile(size, &pixels, &[])], 1, 100).unwrap();
        let left = MARGIN + (100 - scaled.width) / 2;
        let corners = ((left, MARGIN), (left + scaled.width, MARGIN + scaled.height));
        assert_eq!(extent(sheet, &rgb, RED), corners, "{size}");
        assert_eq!(sheet, Size::new(2 * MARGIN + 100, 2 * MARGIN + scaled.height));
    }
}

#[test]
fn captions_are_drawn_under_the_image_and_differ_with_their_text() {
    let size = Size::new(64, 64);
    let pixels = plain(size, RED);
    let sheet = |caption: &[&str]| grid(&[tile(size, &pixels, caption)], 1, 64).unwrap();
    let (bare, _) = sheet(&[]);
    let (one, cat) = sheet(&["cat"]);
    let (two, _) = sheet(&["cat", "galaxy"]);
    let (three, _) = sheet(&["cat", "galaxy", "left out"]);
    assert!(bare.height < one.height && one.height < two.height);
    assert_eq!(two, three);
    let (_, dog) = sheet(&["dog"]);
    let (_, blank) = sheet(&[""]);
    assert_ne!(cat, dog);
    // Nothing but the space under the image has changed.
    let under = (MARGIN + 64 + CAPTION_GAP) as usize * one.width as usize * 3;
    assert_eq!(cat[..under], blank[..under]);
    assert_ne!(cat[under..], blank[under..]);
}

#[test]
fn a_caption_never_reaches_into_the_next_tile() {
    let size = Size::new(64, 64);
    let pixels = plain(size, RED);
    let long = tile(size, &pixels, &["a caption that is much too long for its tile"]);
    let short = tile(size, &pixels, &[""]);
    let (sheet, rgb) = grid(&[long, short.clone()], 2, 64).unwrap();
    let (_, blank) = grid(&[short.clone(), short], 2, 64).unwrap();
    let next = (MARGIN + 64) as usize * 3;
    let rows = rgb.chunks_exact(sheet.width as usize * 3).zip(blank.chunks_exact(sheet.width as usize * 3));
    for (row, blank) in rows {
        assert_eq!(row[..MARGIN as usize * 3], blank[..MARGIN as usize * 3]);
        assert_eq!(row[next..], blank[next..]);
    }
}

#[test]
fn text_is_shortened_by_an_ellipsis_and_never_moves_the_pen() {
    assert_eq!(shorten("cat 0.63", 8), "cat 0.63");
    assert_eq!(shorten("cat 0.63 / coffee", 10), "cat 0.6...");
    assert_eq!(shorten("naïve café", 10), "naïve café");
    assert_eq!(shorten("a\nb\tc\r", 10), "a?b?c?");
    assert_eq!(shorten("cat", 2), "..");
    assert_eq!(shorten("cat", 0), "");
    let size = Size::new(64, 64);
    let pixels = plain(size, RED);
    let sheet = |text: &str| grid(&[tile(size, &pixels, &[text])], 1, 64).unwrap().1;
    assert_eq!(sheet("猫"), sheet("?"), "what the font lacks");
}

#[test]
fn a_soft_label_names_its_classes_by_weight() {
    let names = ["astronaut", "cat", "coffee"];
    assert_eq!(label_caption(&[0.0, 0.63, 0.37], &names), "cat 0.63 / coffee 0.37");
    assert_eq!(label_caption(&[0.1, 0.3, 0.6], &names), "coffee 0.60 / cat 0.30 / astronaut 0.10");
    assert_eq!(label_caption(&[0.5, 0.5, 0.0], &names), "astronaut 0.50 / cat 0.50");
    assert_eq!(label_caption(&[0.0, 1.0, 0.0], &names), "cat");
    assert_eq!(label_caption(&[0.0, 0.0, 0.0, 1.0], &names), "class 3");
    assert_eq!(label_caption(&[f32::NAN, 0.9, 0.001], &names), "cat 0.90");
    assert_eq!(label_caption(&[], &names), "");
}

#[test]
fn a_preview_has_a_header_and_a_row_for_each_sample() {
    let size = Size::new(32, 32);
    let pixels = plain(size, RED);
    let plain_tile = tile(size, &pixels, &[]);
    let row = |versions: usize| Row { original: plain_tile.clone(), versions: vec![plain_tile.clone(); versions] };
    let (sheet, rgb) = preview(&[row(3), row(1)], 120).unwrap();
    let heading = Lettering::for_width(120).line_height() + CAPTION_GAP;
    assert_eq!(sheet, Size::new(2 * MARGIN + 4 * 120 + 3 * GAP, 2 * MARGIN + heading + 2 * 120 + GAP));
    assert_eq!(extent(sheet, &rgb, RED).0, (MARGIN, MARGIN + heading));
    // "original" and "version 3" are written above the first and the last column.
    let band = &rgb[..(MARGIN + heading - 1) as usize * sheet.width as usize * 3];
    let dark: Vec<u32> =
        (0..).zip(band.chunks_exact(3)).filter(|(_, p)| p[0] < 0x40).map(|(i, _): (u32, _)| i % sheet.width).collect();
    assert!(dark.iter().any(|x| *x < MARGIN + 120) && dark.iter().any(|x| *x > MARGIN + 3 * (120 + GAP)));
}

#[test]
fn a_sheet_too_large_to_look_at_is_refused() {
    let size = Size::new(2, 2);
    let pixels = plain(size, RED);
    let tiles = vec![tile(size, &pixels, &[]); 4];
    for (columns, tile_width) in [(1, u32::MAX), (4, u32::MAX), (2, 6_000)] {
        let error = grid(&tiles, columns, tile_width).unwrap_err();
        assert!(matches!(error, SheetError::TooLarge { .. }), "{error}");
    }
    let (empty, _) = grid(&[], 4, 100).unwrap();
    assert_eq!(empty, Size::new(2 * MARGIN, 2 * MARGIN));
    assert!(preview(&[], 0).is_ok());
}

#[test]
fn a_view_that_its_values_do_not_fill_is_refused() {
    assert!(Rgb8View::new(Size::new(2, 2), &[0; 12]).is_ok());
    for (size, values) in
        [(Size::new(2, 2), 4), (Size::new(2, 2), 13), (Size::new(0, 5), 0), (Size::new(u32::MAX, u32::MAX), 3)]
    {
        assert!(matches!(Rgb8View::new(size, &vec![0; values]), Err(SheetError::Values { .. })), "{size}");
        assert!(encode_png(size, &vec![0; values]).is_err());
    }
}

#[test]
fn the_floats_of_an_augmented_image_come_back_as_its_bytes() {
    let normalization =
        Normalization { scale: 1.0 / 255.0, mean: vec![0.485, 0.456, 0.406], std: vec![0.229, 0.224, 0.225] };
    let size = Size::new(16, 16);
    let bytes: Vec<u8> = (0..=255_u8).flat_map(|x| [x, 255 - x, x.wrapping_mul(7)]).collect();
    let float = |x: u8, channel: usize| {
        (f32::from(x) / 255.0 - normalization.mean[channel] as f32) / normalization.std[channel] as f32
    };
    let nhwc: Vec<f32> = bytes.iter().enumerate().map(|(i, x)| float(*x, i % 3)).collect();
    let nchw: Vec<f32> = (0..3).flat_map(|channel| nhwc.iter().skip(channel).step_by(3).copied()).collect();
    assert_eq!(denormalize(&nhwc, size, Layout::Nhwc, &normalization).unwrap(), bytes);
    assert_eq!(denormalize(&nchw, size, Layout::Nchw, &normalization).unwrap(), bytes);
}

#[test]
fn floats_out_of_range_are_clamped_and_gray_becomes_rgb() {
    let unscaled = Normalization { scale: 1.0, mean: vec![], std: vec![] };
    let rgb = denormalize(&[-3.0, 254.6, f32::INFINITY, f32::NAN], Size::new(4, 1), Layout::Unspecified, &unscaled);
    assert_eq!(rgb.unwrap(), [0, 0, 0, 255, 255, 255, 255, 255, 255, 0, 0, 0]);
}

#[test]
fn what_cannot_be_undone_is_refused() {
    let size = Size::new(2, 1);
    let with = |scale, mean: &[f64], std: &[f64]| Normalization { scale, mean: mean.to_vec(), std: std.to_vec() };
    for normalization in
        [with(0.0, &[], &[]), with(f64::NAN, &[], &[]), with(1.0, &[0.5], &[]), with(1.0, &[], &[1.0; 4])]
    {
        let error = denormalize(&[0.0; 6], size, Layout::Nhwc, &normalization).unwrap_err();
        assert!(matches!(error, SheetError::Normalization { .. }), "{error}");
    }
    for (size, values) in [(size, 5), (Size::new(0, 0), 0), (Size::new(u32::MAX, u32::MAX), 3)] {
        let error = denormalize(&vec![0.0; values], size, Layout::Nhwc, &with(1.0, &[], &[])).unwrap_err();
        assert!(matches!(error, SheetError::Values { .. }), "{error}");
    }
}

#[test]
fn a_written_file_is_a_png_of_the_same_pixels_and_leaves_nothing_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sheet.png");
    let size = Size::new(3, 2);
    let rgb: Vec<u8> = (0..18).map(|x| x * 14).collect();
    std::fs::write(&path, "what was there before").unwrap();
    write_png(&path, size, &rgb).unwrap();
    let read = image::open(&path).unwrap();
    assert_eq!((read.width(), read.height()), (3, 2));
    assert_eq!(read.into_rgb8().into_raw(), rgb);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn a_missing_folder_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("missing/sheet.png");
    let error = write_png(&path, Size::new(1, 1), &RED).unwrap_err().to_string();
    assert!(error.starts_with(&format!("cannot write {}: ", path.display())), "{error}");
    assert!(!error.contains(".part"), "{error}");
    // A folder in the place of the file.
    let error = write_png(folder.path(), Size::new(1, 1), &RED).unwrap_err().to_string();
    assert!(error.contains(&*folder.path().to_string_lossy()), "{error}");
}

#[cfg(unix)]
#[test]
fn a_link_stays_a_link_and_nothing_but_a_regular_file_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let (file, link) = (folder.path().join("file.png"), folder.path().join("link.png"));
    std::fs::write(&file, "").unwrap();
    std::os::unix::fs::symlink(&file, &link).unwrap();
    write_png(&link, Size::new(1, 1), &RED).unwrap();
    assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
    assert!(image::open(&file).is_ok());

    // A socket cannot be opened; a device or a pipe would be written to.
    let socket = folder.path().join("socket");
    let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    assert!(write_png(&socket, Size::new(1, 1), &RED).is_err());
    assert!(std::os::unix::fs::FileTypeExt::is_socket(&std::fs::metadata(&socket).unwrap().file_type()));
}
