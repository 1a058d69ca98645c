mod cursor;
mod permutation;
mod slice;
mod subset;

use std::ops::Range;

pub use cursor::Cursor;
pub use permutation::Permutation;
pub use slice::{Members, SplitSlice};
pub use subset::{chosen, digest};

use crate::seed::Purpose;

/// Raised whenever the same spec would give other samples; part of every spec's fingerprint.
pub const VERSION: u32 = 1;

/// Order of the samples in an epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// A keyed permutation, another one in every epoch.
    Shuffled,
    /// By index, or as a list has them.
    Sequential,
}

/// What becomes of the last, incomplete batch of an epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LastBatch {
    /// It is left out.
    Drop,
    /// It comes with the rows there are.
    Short,
    /// It is filled from the start of the same order.
    Wrap,
}

/// Why there is no plan.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    /// A slice that can't be read, or is empty.
    #[error("split {text:?}: {why}")]
    Slice {
        /// What was asked for.
        text: String,
        /// What is wrong with it.
        why: String,
    },
    /// A list with an index that can't be meant.
    #[error("subset.indices[{at}] is {found}, expected {expected}")]
    Subset {
        /// Where in the list.
        at: usize,
        /// The index there.
        found: u32,
        /// What it must be.
        expected: String,
    },
    /// No batch fits.
    #[error(
        "{length} samples make no batch of {global_batch} rows when the last, incomplete one is dropped; \
         expected a global_batch_size of at most {length}, or last_batch short or wrap"
    )]
    NoSteps {
        /// Samples of the split, slice or list.
        length: u64,
        /// Rows of a global batch.
        global_batch: u32,
    },
    /// A rank that the world does not have.
    #[error("rank is {rank}, expected less than the world_size {world_size}")]
    Rank {
        /// Rank asked for.
        rank: u32,
        /// World size.
        world_size: u32,
    },
    /// Ranks would get different numbers of rows.
    #[error(
        "global_batch_size is {global_batch}, expected a multiple of the world_size {world_size}, such as {below} or {above} \
         (or allow_uneven)"
    )]
    Uneven {
        /// Rows of a global batch.
        global_batch: u32,
        /// World size.
        world_size: u32,
        /// Nearest multiple below, at least one row for each rank.
        below: u64,
        /// Nearest multiple above.
        above: u64,
    },
}

/// Which sample stands at which row of which step: arithmetic on the length alone. Constant memory and time, for ten samples
/// or ten billion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    length: u64,
    global_batch: u32,
    order: Order,
    last: LastBatch,
    seed: u64,
}

impl Plan {
    /// A plan over `length` samples in global batches of `global_batch` rows, which is not 0.
    ///
    /// # Errors
    /// [`PlanError::NoSteps`] if an epoch would have no step.
    pub fn new(length: u64, global_batch: u32, order: Order, last: LastBatch, seed: u64) -> Result<Plan, PlanError> {
        let plan = Plan { length, global_batch: global_batch.max(1), order, last, seed };
        if plan.steps_per_epoch() == 0 { Err(PlanError::NoSteps { length, global_batch }) } else { Ok(plan) }
    }

    /// Samples of an epoch.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Rows of a full global batch.
    pub fn global_batch(&self) -> u32 {
        self.global_batch
    }

    /// Steps of an epoch, the same for every rank.
    pub fn steps_per_epoch(&self) -> u64 {
        let global = u64::from(self.global_batch);
        match self.last {
            LastBatch::Drop => self.length / global,
            LastBatch::Short | LastBatch::Wrap => self.length.div_ceil(global),
        }
    }

    /// Positions of the rows of a step in the epoch's endless sequence. Positions from the length on are rows that wrapping
    /// repeats.
    pub fn positions(&self, step: u64) -> Range<u64> {
        let global = u64::from(self.global_batch);
        let start = step * global;
        let end = match self.last {
            LastBatch::Short => (start + global).min(self.length),
            LastBatch::Drop | LastBatch::Wrap => start + global,
        };
        start..end.max(start)
    }

    /// The order of an epoch.
    pub fn epoch(&self, epoch: u32) -> EpochOrder {
        let permutation = match self.order {
            Order::Shuffled => Some(Permutation::new(self.length, self.seed, epoch, Purpose::Order)),
            Order::Sequential => None,
        };
        EpochOrder { length: self.length, permutation }
    }
}

/// The order of one epoch.
#[derive(Clone, Debug)]
pub struct EpochOrder {
    length: u64,
    permutation: Option<Permutation>,
}

impl EpochOrder {
    /// The sample at a position; positions from the length on start again.
    pub fn sample(&self, position: u64) -> u64 {
        self.permutation.as_ref().map_or_else(|| position % self.length.max(1), |order| order.forward(position))
    }

    /// The position of a sample.
    pub fn position(&self, sample: u64) -> u64 {
        self.permutation.as_ref().map_or(sample, |order| order.backward(sample))
    }
}

/// The part of every global batch that one rank gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Shard {
    rank: u32,
    world_size: u32,
}

impl Shard {
    /// Rank `rank` of `world_size`, for global batches of `global_batch` rows.
    ///
    /// # Errors
    /// [`PlanError::Rank`], or [`PlanError::Uneven`] unless `allow_uneven`.
    pub fn new(rank: u32, world_size: u32, global_batch: u32, allow_uneven: bool) -> Result<Shard, PlanError> {
        if rank >= world_size {
            return Err(PlanError::Rank { rank, world_size });
        }
        if !allow_uneven && !global_batch.is_multiple_of(world_size) {
            let (global, world) = (u64::from(global_batch), u64::from(world_size));
            let below = (global / world * world).max(world);
            return Err(PlanError::Uneven {
                global_batch,
                world_size,
                below,
                above: below.max(global.div_ceil(world) * world),
            });
        }
        Ok(Shard { rank, world_size })
    }

    /// This rank's rows of a global batch of `rows` rows.
    pub fn rows(self, rows: u32) -> Range<u32> {
        let cut = |rank: u32| (u64::from(rank) * u64::from(rows) / u64::from(self.world_size)) as u32;
        cut(self.rank)..cut(self.rank + 1)
    }

    /// Most rows that this rank gets of a batch of `rows` rows or fewer.
    pub fn most_rows(self, rows: u32) -> u32 {
        rows.div_ceil(self.world_size)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(length: u64, global: u32, order: Order, last: LastBatch) -> Plan {
        Plan::new(length, global, order, last, 11).expect("a plan")
    }

    fn samples(plan: &Plan, epoch: u32, shard: Shard) -> Vec<u64> {
        let order = plan.epoch(epoch);
        let steps = 0..plan.steps_per_epoch();
        let rows = steps.flat_map(|step| {
            let positions = plan.positions(step);
            let rows = shard.rows((positions.end - positions.start) as u32);
            rows.map(move |row| positions.start + u64::from(row))
        });
        rows.map(|position| order.sample(position)).collect()
    }

    #[test]
    fn every_sample_is_seen_exactly_once_per_epoch_whatever_the_world_size() {
        for order in [Order::Shuffled, Order::Sequential] {
            let plan = plan(103, 12, order, LastBatch::Short);
            for world in [1, 2, 3, 4, 12] {
                let shards = (0..world).map(|rank| Shard::new(rank, world, 12, false).expect("divides"));
                let mut seen: Vec<_> = shards.flat_map(|shard| samples(&plan, 5, shard)).collect();
                seen.sort_unstable();
                assert_eq!(seen, (0..103).collect::<Vec<_>>(), "{order:?} of {world}");
            }
        }
    }

    #[test]
    fn the_rows_of_a_step_do_not_depend_on_the_world_size() {
        let plan = plan(100, 8, Order::Shuffled, LastBatch::Wrap);
        let whole = samples(&plan, 2, Shard::new(0, 1, 8, false).expect("one rank"));
        for world in [2, 4, 8] {
            let shards: Vec<_> =
                (0..world).map(|rank| samples(&plan, 2, Shard::new(rank, world, 8, false).expect("divides"))).collect();
            let each = (8 / world) as usize;
            let together: Vec<_> = (0..plan.steps_per_epoch() as usize)
                .flat_map(|step| shards.iter().flat_map(move |rows| rows[step * each..(step + 1) * each].to_vec()))
                .collect();
            assert_eq!(together, whole);
        }
    }

    #[test]
    fn the_three_ends_of_an_epoch() {
        let drop = plan(10, 4, Order::Sequential, LastBatch::Drop);
        assert_eq!((drop.steps_per_epoch(), drop.positions(1)), (2, 4..8));
        let short = plan(10, 4, Order::Sequential, LastBatch::Short);
        assert_eq!((short.steps_per_epoch(), short.positions(2)), (3, 8..10));
        let wrap = plan(10, 4, Order::Sequential, LastBatch::Wrap);
        assert_eq!((wrap.steps_per_epoch(), wrap.positions(2)), (3, 8..12));
        assert_eq!(wrap.positions(2).map(|p| wrap.epoch(0).sample(p)).collect::<Vec<_>>(), [8, 9, 0, 1]);
        let error = Plan::new(3, 4, Order::Shuffled, LastBatch::Drop, 0).expect_err("no step");
        assert!(error.to_string().contains("at most 3"));
    }

    #[test]
    fn a_short_batch_leaves_some_ranks_a_row_less_or_none() {
        let rows: Vec<_> =
            (0..4).map(|rank| Shard::new(rank, 4, 8, false).expect("divides").rows(3)).map(|rows| rows.len()).collect();
        assert_eq!(rows, [0, 1, 1, 1]);
    }

    #[test]
    fn ranks_and_world_sizes_that_do_not_fit_are_refused_with_what_would() {
        let error = Shard::new(4, 4, 8, false).expect_err("ranks count from 0");
        assert_eq!(error.to_string(), "rank is 4, expected less than the world_size 4");
        let error = Shard::new(0, 3, 64, false).expect_err("does not divide").to_string();
        assert!(error.contains("63 or 66"), "{error}");
        let error = Shard::new(0, 8, 2, false).expect_err("less than a row each").to_string();
        assert!(error.contains("such as 8"), "{error}");
        let uneven = Shard::new(1, 3, 64, true).expect("allowed");
        assert_eq!((uneven.rows(64), uneven.most_rows(64)), (21..42, 22));
    }

    #[test]
    fn positions_lead_back_from_samples() {
        let order = plan(1000, 10, Order::Shuffled, LastBatch::Drop).epoch(4);
        assert!((0..1000).all(|position| order.position(order.sample(position)) == position));
    }
}
