mod canvas;
mod denormalize;
mod png;
mod text;

use crate::image::Size;

use canvas::Canvas;
use text::Lettering;

pub use denormalize::denormalize;
pub use png::{encode_png, write_png};
pub use text::label_caption;

/// Pixels of an RGB image, borrowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rgb8View<'a> {
    /// Neither side is 0.
    size: Size,
    /// HWC, `size.area() * 3` values.
    pixels: &'a [u8],
}

impl<'a> Rgb8View<'a> {
    /// A view of HWC values.
    ///
    /// # Errors
    /// [`SheetError::Values`] if there are no pixels, or not three values for each.
    pub fn new(size: Size, pixels: &'a [u8]) -> Result<Self, SheetError> {
        if size.area() == 0 || size.area().checked_mul(3) != Some(pixels.len() as u64) {
            return Err(SheetError::Values { size, found: pixels.len() });
        }
        Ok(Rgb8View { size, pixels })
    }

    /// Width and height.
    pub fn size(self) -> Size {
        self.size
    }

    /// HWC, three values for each pixel.
    pub fn pixels(self) -> &'a [u8] {
        self.pixels
    }
}

/// An image of a sheet and what is written under it.
#[derive(Clone, Debug)]
pub struct Tile<'a> {
    /// Of any size; scaled to fit the tile.
    pub image: Rgb8View<'a>,
    /// Lines of text; the first two are shown, each shortened to the tile's width.
    pub caption: Vec<String>,
}

/// A row of a preview: a sample, and what augmentation made of it.
#[derive(Clone, Debug)]
pub struct Row<'a> {
    /// The sample as decoded.
    pub original: Tile<'a>,
    /// Its augmented versions.
    pub versions: Vec<Tile<'a>>,
}

/// Why there is no sheet.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SheetError {
    /// The values do not fill the image.
    #[error(
        "{found} values for an image of {size}, expected as many as it has pixels, or three times that, and at least one pixel"
    )]
    Values {
        /// Size of the image.
        size: Size,
        /// Number of values.
        found: usize,
    },
    /// The normalization is not one that can be undone.
    #[error("{what}, expected {expected}")]
    Normalization {
        /// What is wrong with it.
        what: String,
        /// What would be right.
        expected: &'static str,
    },
    /// The sheet would be too large to look at.
    #[error("a sheet of {width}x{height} is over the limit of {max} pixels: ask for fewer or smaller tiles")]
    TooLarge {
        /// Pixels of a row.
        width: u64,
        /// Rows.
        height: u64,
        /// Most pixels.
        max: u64,
    },
    /// The file could not be written. Whatever was there before is unchanged.
    #[error("cannot write {}: {cause}", path.display())]
    Write {
        /// The file.
        path: std::path::PathBuf,
        /// What the system said.
        cause: std::io::Error,
    },
}

/// A sheet of `tiles`, row by row, with at most `columns` beside each other. Every image is scaled to fit a square of `tile_width`
/// pixels, its aspect kept. Returns the size and the RGB values (HWC).
///
/// # Errors
/// [`SheetError::TooLarge`], if the sheet would have more than [`MAX_PIXELS`].
pub fn grid(tiles: &[Tile<'_>], columns: usize, tile_width: u32) -> Result<(Size, Vec<u8>), SheetError> {
    let rows = tiles.chunks(columns.max(1)).map(|row| row.iter().collect()).collect();
    Table { header: Vec::new(), rows, tile_width: tile_width.max(1) }.draw()
}

/// A sheet that shows what augmentation does: in each row a sample and its augmented versions, with a header above the columns.
/// Scaling and result are those of [`grid`].
///
/// # Errors
/// [`SheetError::TooLarge`], if the sheet would have more than [`MAX_PIXELS`].
pub fn preview(rows: &[Row<'_>], tile_width: u32) -> Result<(Size, Vec<u8>), SheetError> {
    let versions = rows.iter().map(|row| row.versions.len()).max().unwrap_or(0);
    let header = std::iter::once("original".to_owned()).chain((1..=versions).map(|i| format!("version {i}"))).collect();
    let rows = rows.iter().map(|row| std::iter::once(&row.original).chain(&row.versions).collect()).collect();
    Table { header, rows, tile_width: tile_width.max(1) }.draw()
}

/// Most pixels of a sheet: 300 MB of RGB values.
pub const MAX_PIXELS: u64 = 100_000_000;

/// Background around the whole.
const MARGIN: u32 = 16;

/// Background between two tiles.
const GAP: u32 = 12;

/// Background between an image and its caption.
const CAPTION_GAP: u32 = 6;

/// Lines of a caption that are shown.
const MAX_LINES: usize = 2;

/// Tiles in rows, and perhaps a header above the columns.
struct Table<'t, 'a> {
    header: Vec<String>,
    rows: Vec<Vec<&'t Tile<'a>>>,
    tile_width: u32,
}

/// Heights within a row of tiles.
struct Band {
    images: u32,
    captions: u32,
}

impl Table<'_, '_> {
    fn draw(&self) -> Result<(Size, Vec<u8>), SheetError> {
        let lettering = Lettering::for_width(self.tile_width);
        let bands: Vec<Band> = self.rows.iter().map(|row| self.band(row, lettering)).collect();
        let mut canvas = Canvas::new(self.size(&bands, lettering)?);
        let mut y = MARGIN;
        if !self.header.is_empty() {
            for (column, text) in self.header.iter().enumerate() {
                lettering.heading(&mut canvas, text, self.slot(column, y));
            }
            y += lettering.line_height() + CAPTION_GAP;
        }
        for (row, band) in self.rows.iter().zip(&bands) {
            for (column, tile) in row.iter().enumerate() {
                let slot = self.slot(column, y);
                let size = fit(tile.image.size(), self.tile_width);
                // Centred in its square, or in what the highest image of the row leaves of it.
                canvas.image(
                    tile.image,
                    slot.x + (slot.width - size.width) / 2,
                    y + (band.images - size.height) / 2,
                    size,
                );
                let mut line = slot.below(band.images + CAPTION_GAP);
                for (index, text) in tile.caption.iter().take(MAX_LINES).enumerate() {
                    lettering.caption(&mut canvas, index, text, line);
                    line = line.below(lettering.line_height());
                }
            }
            y += band.images + band.captions + GAP;
        }
        Ok(canvas.into_parts())
    }

    fn band(&self, row: &[&Tile<'_>], lettering: Lettering) -> Band {
        let lines = row.iter().map(|tile| tile.caption.len().min(MAX_LINES)).max().unwrap_or(0) as u32;
        Band {
            images: row.iter().map(|tile| fit(tile.image.size(), self.tile_width).height).max().unwrap_or(0),
            captions: if lines == 0 { 0 } else { CAPTION_GAP + lines * lettering.line_height() },
        }
    }

    /// The whole sheet's size; in 64 bits and saturating, since nothing has bounded the tiles yet.
    fn size(&self, bands: &[Band], lettering: Lettering) -> Result<Size, SheetError> {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0).max(self.header.len()) as u64;
        let gaps = |count: u64| count.saturating_sub(1).saturating_mul(u64::from(GAP));
        let heading = if self.header.is_empty() { 0 } else { lettering.line_height() + CAPTION_GAP };
        let tiles = bands.iter().fold(0_u64, |sum, band| {
            sum.saturating_add(u64::from(band.images)).saturating_add(u64::from(band.captions))
        });
        let frame = 2 * u64::from(MARGIN);
        let width =
            columns.saturating_mul(u64::from(self.tile_width)).saturating_add(gaps(columns)).saturating_add(frame);
        let height = tiles.saturating_add(gaps(bands.len() as u64)).saturating_add(frame + u64::from(heading));
        let too_large = || SheetError::TooLarge { width, height, max: MAX_PIXELS };
        if width.saturating_mul(height) > MAX_PIXELS {
            return Err(too_large());
        }
        let side = |x: u64| u32::try_from(x).map_err(|_| too_large());
        Ok(Size::new(side(width)?, side(height)?))
    }

    /// Where the tile of `column` begins in a row that begins at `y`.
    fn slot(&self, column: usize, y: u32) -> Slot {
        Slot { x: MARGIN + column as u32 * (self.tile_width + GAP), y, width: self.tile_width }
    }
}

/// A place on the canvas as wide as a tile.
#[derive(Clone, Copy)]
struct Slot {
    x: u32,
    y: u32,
    width: u32,
}

impl Slot {
    fn below(self, rows: u32) -> Self {
        Slot { y: self.y + rows, ..self }
    }
}

/// The largest size of the same aspect in a square of `side`; no side of it is 0.
fn fit(size: Size, side: u32) -> Size {
    let scaled = |x: u32, longest: u32| {
        let rounded = (u64::from(x) * u64::from(side) + u64::from(longest) / 2) / u64::from(longest);
        // At most `side`, since `x` is at most `longest`.
        (rounded as u32).max(1)
    };
    let longest = size.width.max(size.height);
    Size::new(scaled(size.width, longest), scaled(size.height, longest))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests;
