pub(super) mod clip;
pub(super) mod normalize;
mod tail;
pub(super) mod to_float;

pub use tail::Tail;
