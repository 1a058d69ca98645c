mod collate;
mod mix;
mod slots;

pub use collate::{Writer, paste};
pub use mix::{DrawPer, Mix, MixKind, Mixed, Mixing, VERSION as MIXING_VERSION, soft_label};
pub use slots::{Row, Slots};
