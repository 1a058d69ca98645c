use feedline_proto::v1;

use crate::augment::op::Refusal;

/// Refuses a list of ops that is too long or too deep, before anything looks at each.
///
/// # Errors
/// Where it is too deep, or how many ops are allowed.
pub fn check_size(ops: &[v1::Op]) -> Result<(), Refusal> {
    fn count(ops: &[v1::Op], depth: u32, total: &mut u32) -> Result<(), Refusal> {
        use v1::op::Op;
        if depth >= MOST_DEPTH && !ops.is_empty() {
            let found = format!("more than {MOST_DEPTH} levels deep");
            return Err(Refusal::new("pipeline.ops", found, format!("at most {MOST_DEPTH} levels")));
        }
        for op in ops {
            *total += 1;
            if *total > MOST_OPS {
                return Err(Refusal::new(
                    "pipeline.ops",
                    format!("more than {MOST_OPS} ops"),
                    format!("at most {MOST_OPS}"),
                ));
            }
            if let Some(
                Op::Sequence(v1::Sequence { ops, .. })
                | Op::OneOf(v1::OneOf { ops, .. })
                | Op::SomeOf(v1::SomeOf { ops, .. })
                | Op::RandomOrder(v1::RandomOrder { ops, .. }),
            ) = &op.op
            {
                count(ops, depth + 1, total)?;
            }
        }
        Ok(())
    }
    count(ops, 0, &mut 0)
}

/// Most ops of a pipeline, those inside groups included.
pub(super) const MOST_OPS: u32 = 256;
/// Deepest nesting of groups.
pub(super) const MOST_DEPTH: u32 = 8;
