mod collate;
mod copy_paste;
mod marks;
mod mix;
mod mosaic;
mod slots;

pub use collate::{Writer, paste, paste_pixels, paste_shifted};
pub use copy_paste::{Objects, Pasted};
pub use marks::Marks;
pub use mix::{DrawPer, How, Kind, Mix, MixKind, Mixed, Mixing, VERSION as MIXING_VERSION};
pub use mosaic::{Mosaic, Quadrant};
pub use slots::{Row, Section, Slots};
