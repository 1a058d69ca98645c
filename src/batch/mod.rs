mod collate;
mod marks;
mod mix;
mod slots;

pub use collate::{Writer, paste};
pub use marks::Marks;
pub use mix::{DrawPer, How, Kind, Mix, MixKind, Mixed, Mixing, VERSION as MIXING_VERSION};
pub use slots::{Row, Section, Slots};
