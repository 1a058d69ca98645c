use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;

use crate::client::Batch;

/// What is checked of a batch, beside its checksums, which the client library has checked.
#[derive(Debug, Default)]
pub(super) struct Arrival {
    pub(super) epoch: u32,
    pub(super) step: u64,
    /// Samples of its rows as the plan has them: without rows that wrapping repeats, the damaged one where there is a substitute.
    pub(super) samples: Vec<u64>,
    /// CRC32C of its payload.
    pub(super) crc: u32,
}

impl Arrival {
    pub(super) fn of(batch: &Batch) -> Arrival {
        let header = &batch.header;
        let mut samples = batch.samples();
        for found in &header.substitutions {
            if let Some(sample) = samples.get_mut(found.row as usize) {
                *sample = found.damaged;
            }
        }
        let wrapped: HashSet<usize> = header.wrapped_rows.iter().map(|row| *row as usize).collect();
        let kept = samples.into_iter().enumerate().filter(|(row, _)| !wrapped.contains(row));
        Arrival {
            epoch: header.epoch,
            step: header.step,
            samples: kept.map(|(_, sample)| sample).collect(),
            crc: header.payload_crc32c.unwrap_or(0),
        }
    }
}

/// A promise that the server, or the client library, did not keep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Violation {
    /// A batch came later than its turn: those between are missing.
    Gap { found: (u32, u64), expected: (u32, u64) },
    /// A batch came that this client has had already.
    Repeat { found: (u32, u64), expected: (u32, u64) },
    /// A sample came twice in an epoch.
    SampleTwice { sample: u64, at: (u32, u64) },
    /// Two clients that asked for the same batch got different bytes.
    OtherBytes { at: (u32, u64), found: u32, expected: u32 },
}

impl Violation {
    /// Its name among the kinds of errors.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Violation::Gap { .. } => "gap",
            Violation::Repeat { .. } => "repeat",
            Violation::SampleTwice { .. } => "sample_twice",
            Violation::OtherBytes { .. } => "other_bytes",
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Violation::Gap { found: (epoch, step), expected } => {
                write!(f, "batch {epoch}:{step} came, expected {}:{}, which is missing", expected.0, expected.1)
            }
            Violation::Repeat { found: (epoch, step), expected } => {
                write!(f, "batch {epoch}:{step} came again, expected {}:{}", expected.0, expected.1)
            }
            Violation::SampleTwice { sample, at: (epoch, step) } => {
                write!(f, "sample {sample} came twice in epoch {epoch}, the second time in step {step}")
            }
            Violation::OtherBytes { at: (epoch, step), found, expected } => {
                write!(f, "batch {epoch}:{step} has CRC {found:08x}, another client got it with {expected:08x}")
            }
        }
    }
}

/// The order in which one client must get its batches: every step of an epoch, then the next epoch.
#[derive(Debug)]
pub(super) struct Sequence {
    steps_per_epoch: u64,
    next: (u32, u64),
}

impl Sequence {
    pub(super) fn new(steps_per_epoch: u64) -> Sequence {
        Sequence { steps_per_epoch, next: (0, 0) }
    }

    /// Takes the next batch. After one that came out of turn the sequence goes on behind it.
    pub(super) fn take(&mut self, epoch: u32, step: u64) -> Option<Violation> {
        let (found, expected) = ((epoch, step), self.next);
        self.next = if step + 1 < self.steps_per_epoch { (epoch, step + 1) } else { (epoch.saturating_add(1), 0) };
        match found.cmp(&expected) {
            std::cmp::Ordering::Equal => None,
            std::cmp::Ordering::Greater => Some(Violation::Gap { found, expected }),
            std::cmp::Ordering::Less => Some(Violation::Repeat { found, expected }),
        }
    }
}

/// What clients that share a world have got: of every sample once per epoch, and of every batch the same bytes.
#[derive(Debug)]
pub(super) struct Ledger {
    epochs: BTreeMap<u32, Seen>,
    /// How many clients stand in which epoch. What lies before all of them is forgotten.
    clients: BTreeMap<u32, u32>,
}

/// What has come of one epoch.
#[derive(Debug, Default)]
struct Seen {
    samples: HashSet<u64>,
    /// CRC by step and rank.
    payloads: HashMap<(u64, u32), u32>,
}

impl Ledger {
    /// For so many clients, all of which begin with epoch 0.
    pub(super) fn new(clients: u32) -> Ledger {
        Ledger { epochs: BTreeMap::new(), clients: BTreeMap::from([(0, clients)]) }
    }

    /// Takes what a client of `rank` got. Clients of one rank are expected to get the same.
    pub(super) fn take(&mut self, rank: u32, arrival: &Arrival) -> Vec<Violation> {
        let at = (arrival.epoch, arrival.step);
        let seen = self.epochs.entry(arrival.epoch).or_default();
        match seen.payloads.entry((arrival.step, rank)) {
            Entry::Occupied(known) if *known.get() != arrival.crc => {
                vec![Violation::OtherBytes { at, found: arrival.crc, expected: *known.get() }]
            }
            Entry::Occupied(_) => Vec::new(),
            Entry::Vacant(new) => {
                new.insert(arrival.crc);
                let twice = arrival.samples.iter().filter(|sample| !seen.samples.insert(**sample));
                twice.map(|sample| Violation::SampleTwice { sample: *sample, at }).collect()
            }
        }
    }

    /// A client has come from one epoch to another.
    pub(super) fn pass(&mut self, from: u32, to: u32) {
        *self.clients.entry(to).or_default() += 1;
        self.leave(from);
    }

    /// A client that stood in an epoch is gone for good.
    pub(super) fn leave(&mut self, epoch: u32) {
        if let Some(count) = self.clients.get_mut(&epoch) {
            *count -= 1;
            if *count == 0 {
                self.clients.remove(&epoch);
            }
        }
        let first = self.clients.keys().next().copied();
        self.epochs.retain(|epoch, _| first.is_some_and(|first| *epoch >= first));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrival(epoch: u32, step: u64, samples: &[u64], crc: u32) -> Arrival {
        Arrival { epoch, step, samples: samples.to_vec(), crc }
    }

    #[test]
    fn a_missing_and_a_repeated_step_are_found_across_the_end_of_an_epoch() {
        let mut sequence = Sequence::new(3);
        let mut take = |epoch, step| sequence.take(epoch, step);
        for (epoch, step) in [(0, 0), (0, 1), (0, 2), (1, 0)] {
            assert_eq!(take(epoch, step), None);
        }
        assert_eq!(take(1, 0), Some(Violation::Repeat { found: (1, 0), expected: (1, 1) }));
        assert_eq!(take(1, 2), Some(Violation::Gap { found: (1, 2), expected: (1, 1) }));
        assert_eq!(take(3, 0), Some(Violation::Gap { found: (3, 0), expected: (2, 0) }));
        assert_eq!(take(3, 1), None);
    }

    #[test]
    fn a_sample_that_two_ranks_get_in_one_epoch_is_found() {
        let mut ledger = Ledger::new(2);
        assert_eq!(ledger.take(0, &arrival(0, 0, &[1, 2], 7)), []);
        assert_eq!(ledger.take(1, &arrival(0, 0, &[3, 4], 8)), []);
        assert_eq!(ledger.take(0, &arrival(0, 1, &[5, 3], 9)), [Violation::SampleTwice { sample: 3, at: (0, 1) }]);
        assert_eq!(ledger.take(1, &arrival(1, 0, &[1, 2, 3], 9)), [], "the next epoch has every sample again");
    }

    #[test]
    fn other_bytes_of_the_same_batch_are_found() {
        let mut ledger = Ledger::new(2);
        assert_eq!(ledger.take(0, &arrival(0, 0, &[1, 2], 7)), []);
        assert_eq!(ledger.take(0, &arrival(0, 0, &[1, 2], 7)), [], "another client got the same");
        let expected = Violation::OtherBytes { at: (0, 0), found: 8, expected: 7 };
        assert_eq!(ledger.take(0, &arrival(0, 0, &[1, 2], 8)), [expected]);
    }

    #[test]
    fn epochs_that_all_clients_have_left_are_forgotten() {
        let mut ledger = Ledger::new(2);
        for epoch in 0..3 {
            ledger.take(0, &arrival(epoch, 0, &[1], 1));
        }
        ledger.pass(0, 2);
        assert_eq!(ledger.epochs.len(), 3, "one client is still there");
        ledger.pass(0, 1);
        assert_eq!(ledger.epochs.keys().copied().collect::<Vec<_>>(), [1, 2]);
        ledger.leave(1);
        assert_eq!(ledger.epochs.keys().copied().collect::<Vec<_>>(), [2]);
    }
}
