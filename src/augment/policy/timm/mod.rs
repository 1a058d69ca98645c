/// What a policy's text says.
mod parse;

/// What a magnitude is to each op.
mod level;

pub(super) use level::{Kind, Levels};
pub(super) use parse::{Config, MIX, Plan};

#[cfg(test)]
mod tests;
