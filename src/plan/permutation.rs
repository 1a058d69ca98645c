use crate::seed::{Key, Purpose};

/// A keyed permutation of `0..length`, evaluated index by index: constant memory, any place at once, no shuffling.
///
/// A Feistel network over the smallest power of two that holds `length`; indices that leave `0..length` walk on along their
/// cycle until they are back inside, two steps on average at worst. Lengths up to 256 are a shuffled table, since a network
/// with halves of so few bits has too few permutations.
#[derive(Clone, Debug)]
pub struct Permutation {
    length: u64,
    kind: Kind,
}

#[derive(Clone, Debug)]
enum Kind {
    Table(Vec<u8>),
    Network(Network),
}

#[derive(Clone, Debug)]
struct Network {
    /// Bits of the left and the right half; the right one has one more when their sum is odd.
    left: u32,
    right: u32,
    keys: [u64; ROUNDS],
}

impl Permutation {
    /// The permutation of `0..length` that belongs to `seed`, `epoch` and `purpose`.
    pub fn new(length: u64, seed: u64, epoch: u32, purpose: Purpose) -> Self {
        let mut rng = Key { seed, epoch, position: 0, view: 0, op: 0, purpose }.rng();
        let kind = if length <= LONGEST_TABLE {
            let mut table: Vec<u8> = (0..length).map(|index| index as u8).collect();
            rng.shuffle(&mut table);
            Kind::Table(table)
        } else {
            let bits = u64::BITS - (length - 1).leading_zeros();
            let keys = std::array::from_fn(|_| rng.bits());
            Kind::Network(Network { left: bits / 2, right: bits - bits / 2, keys })
        };
        Permutation { length, kind }
    }

    /// Number of indices.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Where `index` goes. Indices from `length` on are taken modulo `length`.
    pub fn forward(&self, index: u64) -> u64 {
        match &self.kind {
            Kind::Table(table) => table.get(self.inside(index) as usize).map_or(0, |there| u64::from(*there)),
            Kind::Network(network) => self.walk(index, |x| network.forward(x)),
        }
    }

    /// What goes to `index`: the inverse of [`Permutation::forward`].
    pub fn backward(&self, index: u64) -> u64 {
        match &self.kind {
            Kind::Table(table) => {
                let index = self.inside(index);
                table.iter().position(|there| u64::from(*there) == index).unwrap_or(0) as u64
            }
            Kind::Network(network) => self.walk(index, |x| network.backward(x)),
        }
    }

    fn inside(&self, index: u64) -> u64 {
        if index < self.length { index } else { index % self.length.max(1) }
    }

    fn walk(&self, index: u64, step: impl Fn(u64) -> u64) -> u64 {
        let mut x = step(self.inside(index));
        while x >= self.length {
            x = step(x);
        }
        x
    }
}

impl Network {
    fn forward(&self, x: u64) -> u64 {
        let (mut l, mut r) = self.halves(x);
        for pair in self.keys.as_chunks::<2>().0 {
            l ^= mix(r, pair[0]) & mask(self.left);
            r ^= mix(l, pair[1]) & mask(self.right);
        }
        (l << self.right) | r
    }

    fn backward(&self, x: u64) -> u64 {
        let (mut l, mut r) = self.halves(x);
        for pair in self.keys.as_chunks::<2>().0.iter().rev() {
            r ^= mix(l, pair[1]) & mask(self.right);
            l ^= mix(r, pair[0]) & mask(self.left);
        }
        (l << self.right) | r
    }

    fn halves(&self, x: u64) -> (u64, u64) {
        (x >> self.right, x & mask(self.right))
    }
}

/// Longest permutation that is a table.
const LONGEST_TABLE: u64 = 256;

/// Rounds of the network: more than the four that make a Feistel network strong, since the halves of small lengths have few bits.
const ROUNDS: usize = 8;

fn mask(bits: u32) -> u64 {
    (1_u64 << bits).wrapping_sub(1)
}

/// One round: two multiplications by odd constants, each followed by a fold of the high half into the low one.
fn mix(x: u64, key: u64) -> u64 {
    let x = (x ^ key).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let x = (x ^ (x >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93);
    x ^ (x >> 32)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn permutation(length: u64, epoch: u32) -> Permutation {
        Permutation::new(length, 7, epoch, Purpose::Order)
    }

    #[test]
    fn every_index_is_hit_once_and_the_inverse_leads_back() {
        for length in [1, 2, 3, 5, 10, 64, 65, 1000, 4097] {
            let order = permutation(length, 0);
            let mut hit = vec![false; length as usize];
            for index in 0..length {
                let there = order.forward(index);
                assert!(!std::mem::replace(&mut hit[there as usize], true), "{there} twice of {length}");
                assert_eq!(order.backward(there), index);
            }
        }
        let vast = permutation(u64::MAX / 3, 9);
        for index in [0, 1, 12_345_678_901_234, u64::MAX / 3 - 1] {
            assert_eq!(vast.backward(vast.forward(index)), index);
        }
    }

    #[test]
    fn order_equals_the_committed_vector() {
        let drawn = |length| (0..8).map(|index| permutation(length, 3).forward(index)).collect::<Vec<_>>();
        let expected = [
            vec![7, 4, 6, 8, 9, 3, 5, 0],
            vec![194, 655, 810, 183, 675, 871, 636, 336],
            vec![
                838825459491,
                444924312888,
                593413316742,
                954040405400,
                586908233843,
                606908485169,
                128809374170,
                176058411762,
            ],
        ];
        let drawn = [drawn(10), drawn(1000), drawn(1_000_000_000_000)];
        assert_eq!(
            drawn, expected,
            "a change of these changes every batch: raise plan::VERSION and say so in CHANGELOG"
        );
    }

    #[test]
    fn every_place_gets_every_sample_equally_often() {
        for (length, epochs) in [(5, 20_000), (257, 5_000), (400, 5_000)] {
            let mut counts = vec![0_u32; length * length];
            for epoch in 0..epochs {
                let order = permutation(length as u64, epoch);
                (0..length).for_each(|place| counts[place * length + order.forward(place as u64) as usize] += 1);
            }
            let expected = f64::from(epochs) / length as f64;
            let chi: f64 = counts.iter().map(|n| (f64::from(*n) - expected).powi(2) / expected).sum();
            // Chi squared: mean is its degrees of freedom, variance twice that.
            let freedom = ((length - 1) * (length - 1)) as f64;
            assert!((chi - freedom) / (2.0 * freedom).sqrt() < 4.0, "{chi} with {freedom} degrees of freedom");
        }
    }

    #[test]
    fn neighbours_of_one_epoch_are_strangers_in_the_next() {
        let (first, second) = (permutation(4000, 0), permutation(4000, 1));
        let kept = (0..3999).filter(|place| {
            let at = |order: &Permutation, place| order.backward(first.forward(place));
            at(&second, *place + 1) == at(&second, *place) + 1
        });
        // One in 4000 by chance.
        assert!(kept.count() < 8);
    }
}
