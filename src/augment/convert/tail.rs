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

#[cfg(test)]
mod tests {
    use feedline_proto::{rule, v1};

    use super::*;
    use crate::augment::finish::Finish;
    use crate::augment::op::Scratch;
    use crate::augment::registry;
    use crate::augment::resources::Photographs;
    use crate::image::{Depth, Form, Image, Size};
    use crate::sample::Sample;
    use crate::seed::{Key, Purpose};

    fn ops(text: &str) -> Vec<v1::Op> {
        let pipeline: v1::Pipeline = serde_json::from_str(text).expect("as the contract spells it");
        rule::with_defaults(&pipeline).ops
    }

    /// The 256 values in every channel, through the ops one after the other.
    fn one_after_the_other(ops: &[v1::Op], channels: usize) -> Vec<f32> {
        let size = Size::new(256, 1);
        let mut form = Form { smallest: size, largest: size, channels, depth: Depth::U8 };
        let values: Vec<u8> = (0..=255).flat_map(|x| vec![x; channels]).collect();
        let mut sample = Sample::new(Image::from_u8(size, channels, values), 0);
        let key = Key { seed: 0, epoch: 0, position: 0, view: 0, op: 0, purpose: Purpose::Op };
        for op in ops {
            let op = op.op.as_ref().expect("an op");
            let built = registry::build(op, form, &Photographs).map_err(|(_, refusal)| refusal).expect("a valid op");
            let mut finish = Finish::default();
            sample = built.op.run(&mut key.rng(), sample, &mut Scratch::default(), &mut finish, None);
            finish.apply(&mut sample.image, &mut Scratch::default());
            form = built.output;
        }
        sample.image.as_f32().expect("floats").to_vec()
    }

    #[test]
    fn the_table_equals_the_ops_one_after_the_other_to_the_bit() {
        for (text, channels) in [
            (r#"{"ops": [{"to_float": {}}]}"#, 3),
            (r#"{"ops": [{"to_float": {"divisor": 127.5}}]}"#, 1),
            (r#"{"ops": [{"to_float": {}}, {"normalize": {}}]}"#, 3),
            (r#"{"ops": [{"to_float": {"divisor": 3}}, {"normalize": {"mean": [0.1], "std": [0.3]}}]}"#, 1),
        ] {
            let ops = ops(text);
            let tail = Tail::of(&ops, channels).expect("a tail");
            let expected = one_after_the_other(&ops, channels);
            for (index, expected) in expected.iter().enumerate() {
                let found = tail.table(index % channels)[index / channels];
                assert_eq!(found.to_bits(), expected.to_bits(), "{text} value {} ", index / channels);
            }
        }
    }

    #[test]
    fn the_description_says_what_a_client_must_compute() {
        let tail = Tail::of(&ops(r#"{"ops": [{"to_float": {}}, {"normalize": {}}]}"#), 3).expect("a tail");
        assert_eq!(tail.normalization.scale, 1.0 / 255.0);
        assert_eq!(tail.normalization.std, [0.229, 0.224, 0.225]);
        let tail = Tail::of(&ops(r#"{"ops": [{"to_float": {"divisor": 2}}]}"#), 3).expect("a tail");
        assert_eq!((tail.normalization.scale, tail.normalization.mean.len()), (0.5, 0));
    }

    #[test]
    fn anything_else_is_no_tail() {
        for text in [
            r#"{"ops": []}"#,
            r#"{"ops": [{"normalize": {}}]}"#,
            r#"{"ops": [{"normalize": {}}, {"to_float": {}}]}"#,
            r#"{"ops": [{"to_float": {}}, {"to_float": {}}]}"#,
            r#"{"ops": [{"to_float": {}}, {"normalize": {"mean": [0.5]}}]}"#,
        ] {
            assert_eq!(Tail::of(&ops(text), 3), None, "{text}");
        }
    }
}
