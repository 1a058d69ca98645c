use feedline_proto::v1;

use super::normalize::Normalize;
use super::to_float::ToFloat;

/// What remains to be done to an 8-bit image at the end of a pipeline: `to_float`, then perhaps `normalize`. As a table it
/// costs one look-up per value; as a description it is left to a client that takes 8 bits.
#[derive(Clone, Debug, PartialEq)]
pub struct Tail {
    /// What a client must compute.
    pub normalization: v1::Normalization,
    /// The float of each of the 256 values, per channel: bit-equal to the ops one after the other.
    tables: Vec<[f32; 256]>,
}

impl Tail {
    /// The tail that `ops` are: one `to_float`, or that and one `normalize` of as many values as there are channels. None if
    /// they are anything else.
    pub fn of(ops: &[v1::Op], channels: usize) -> Option<Tail> {
        use v1::op::Op;
        let (to_float, normalize) = match ops.iter().map(|op| op.op.as_ref()).collect::<Vec<_>>()[..] {
            [Some(Op::ToFloat(to_float))] => (to_float, None),
            [Some(Op::ToFloat(to_float)), Some(Op::Normalize(normalize))] => (to_float, Some(normalize)),
            _ => return None,
        };
        if normalize.is_some_and(|m| m.mean.len() != channels || m.std.len() != channels) {
            return None;
        }
        let (first, second) = (ToFloat::new(to_float), normalize.map(Normalize::new));
        let value = |x: u8, channel| {
            let x = first.value(f32::from(x));
            second.as_ref().map_or(x, |normalize| normalize.value(x, channel))
        };
        let tables = (0..channels).map(|channel| std::array::from_fn(|x| value(x as u8, channel))).collect();
        let normalization = v1::Normalization {
            scale: 1.0 / to_float.divisor.unwrap_or(255.0),
            mean: normalize.map(|m| m.mean.clone()).unwrap_or_default(),
            std: normalize.map(|m| m.std.clone()).unwrap_or_default(),
        };
        Some(Tail { normalization, tables })
    }

    /// The float of each of the 256 values of `channel`.
    pub fn table(&self, channel: usize) -> &[f32; 256] {
        &self.tables[channel]
    }
}
