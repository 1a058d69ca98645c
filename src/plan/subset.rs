use std::sync::Arc;

use super::{Members, PlanError};

/// The members that a list of a split of `length` samples names, in its order. Takes time linear in both, once; four bytes for each
/// index are kept.
///
/// # Errors
/// [`PlanError::Subset`] if a sample is not in the split, or in the list twice.
pub fn chosen(indices: Vec<u32>, length: u64) -> Result<Members, PlanError> {
    let bad = |at: usize, expected: String| PlanError::Subset { at, found: indices[at], expected };
    let mut seen = vec![0_u64; usize::try_from(length.div_ceil(64)).unwrap_or(usize::MAX)];
    for (at, index) in indices.iter().enumerate() {
        if u64::from(*index) >= length {
            return Err(bad(
                at,
                format!("0 to {}, the last of the split's {length} samples", length.saturating_sub(1)),
            ));
        }
        let (word, bit) = (&mut seen[(index / 64) as usize], 1 << (index % 64));
        if *word & bit != 0 {
            let first = indices.iter().position(|other| other == index).unwrap_or(at);
            return Err(bad(at, format!("each sample once: it is indices[{first}] already")));
        }
        *word |= bit;
    }
    Ok(Members::List(Arc::new(indices)))
}

/// What stands for a list of samples in a fingerprint: 32 hex digits of the BLAKE3 hash over its length and its indices, all as
/// little-endian integers of 64 bits.
pub fn digest(indices: &[u32]) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&(indices.len() as u64).to_le_bytes());
    for some in indices.chunks(1024) {
        let bytes: Vec<u8> = some.iter().flat_map(|index| u64::from(*index).to_le_bytes()).collect();
        hasher.update(&bytes);
    }
    hasher.finalize().to_hex()[..32].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_those_of_the_list_in_its_order() {
        let members = chosen(vec![7, 2, 96, 0], 97).expect("four samples");
        assert_eq!((0..members.len()).map(|at| members.sample(at)).collect::<Vec<_>>(), [7, 2, 96, 0]);
        for at in 0..4 {
            assert_eq!(members.index_of(members.sample(at)), Some(at));
        }
        assert_eq!((members.index_of(1), members.index_of(u64::from(u32::MAX) + 8)), (None, None));
    }

    #[test]
    fn a_sample_that_is_not_there_or_twice_is_refused_with_its_place() {
        let says = |indices: &[u32], length| chosen(indices.to_vec(), length).expect_err("refused").to_string();
        let beyond = says(&[3, 64, 9], 64);
        assert_eq!(beyond, "subset.indices[1] is 64, expected 0 to 63, the last of the split's 64 samples");
        let twice = says(&[5, 63, 5, 63], 64);
        assert_eq!(twice, "subset.indices[2] is 5, expected each sample once: it is indices[0] already");
        assert!(says(&[u32::MAX], 3).contains("4294967295"));
        assert_eq!(chosen((0..64).rev().collect(), 64).expect("each once").len(), 64);
    }

    /// Released digests are for ever: they are in fingerprints.
    #[test]
    fn digests_tell_lists_and_their_orders_apart_and_stay() {
        let of = |indices: &[u32]| digest(indices);
        assert_eq!(of(&[3, 17, 4]), "74a3b0d77198eb0df4b7a372d634540b");
        assert_eq!(of(&(0..3000).collect::<Vec<_>>()), "51c6d024c49ed5e421938376329c1a1b");
        let lists: [&[u32]; 5] = [&[3, 17, 4], &[17, 3, 4], &[3, 17], &[3, 17, 4, 0], &[]];
        for (at, list) in lists.iter().enumerate() {
            assert!(lists[..at].iter().all(|other| of(other) != of(list)), "{list:?}");
        }
    }
}
