mod collate;
mod copy_paste;
mod element;
mod marks;
mod mix;
mod mosaic;
mod paste;
mod planes;
mod slots;

pub use collate::Writer;
pub use copy_paste::{Objects, Pasted};
pub use marks::Marks;
pub use mix::{DrawPer, How, Kind, Mix, MixKind, Mixed, Mixing, VERSION as MIXING_VERSION};
pub use mosaic::{Mosaic, Quadrant};
pub use paste::{paste, paste_pixels, paste_shifted};
pub use slots::{Row, Section, Slots};
