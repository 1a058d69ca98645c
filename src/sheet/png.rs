use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;

use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, ImageEncoder as _};

use super::SheetError;
use crate::image::Size;

/// RGB values (HWC) as a PNG file.
///
/// # Errors
/// [`SheetError::Values`], if there are no pixels, or not three values for each.
pub fn encode_png(size: Size, rgb: &[u8]) -> Result<Vec<u8>, SheetError> {
    let wrong = || SheetError::Values { size, found: rgb.len() };
    // Checked here, since the encoder panics.
    if size.area() == 0 || size.area().checked_mul(3) != Some(rgb.len() as u64) {
        return Err(wrong());
    }
    let mut file = Vec::new();
    PngEncoder::new(&mut file)
        .write_image(rgb, size.width, size.height, ExtendedColorType::Rgb8)
        .map_err(|_| wrong())?;
    Ok(file)
}

/// Writes RGB values (HWC) to a PNG file. The file appears whole or not at all, and one that was there stays until then: a full disk
/// leaves nothing broken behind. A path that is no regular file (`/dev/stdout`, a pipe) is written to as it is.
///
/// # Errors
/// [`SheetError::Values`], or [`SheetError::Write`] with the path and the cause.
pub fn write_png(path: &Path, size: Size, rgb: &[u8]) -> Result<(), SheetError> {
    let bytes = encode_png(size, rgb)?;
    write(path, &bytes).map_err(|cause| SheetError::Write { path: path.to_owned(), cause })
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    match fs::metadata(path) {
        // Renaming would put a regular file in the place of the device or pipe. A folder is refused by `open`.
        Ok(found) if !found.is_file() => return File::options().write(true).open(path)?.write_all(bytes),
        _ => {}
    }
    // Through a link, so that what it points to is replaced and not the link.
    let target = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let folder = match target.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    // Says plainly that the folder is missing; the error of the temporary file would name a file nobody asked for.
    fs::metadata(folder)?;
    let mut builder = tempfile::Builder::new();
    builder.prefix(".feedline-").suffix(".png.part");
    // Temporary files are private by default. Less the umask, this is what any new file gets.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut file = builder.tempfile_in(folder)?;
    file.write_all(bytes)?;
    // Some file systems report a full disk only now.
    file.as_file().sync_all()?;
    file.persist(&target).map(drop).map_err(|error| error.error)
}
