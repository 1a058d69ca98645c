use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use super::PlanError;
use super::permutation::Permutation;
use crate::seed::Purpose;

/// A split with a slice, spelled as in tfds: `train`, `train[:80%]`, `train[80%:]`, `train[100:200]`, `train[-10%:]`.
///
/// Slices run over a fixed pseudo-random order, the same for ever, percentages per class: `[:80%]` and `[80%:]` are disjoint,
/// together the whole, and each has its share of every class within one sample.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SplitSlice {
    /// Name of the split.
    pub split: String,
    range: Option<Bounds>,
}

/// The two ends of a slice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bounds {
    /// In percent, 0 to 100.
    Percent(i64, i64),
    /// In samples; negative ones count from the end, none is the end.
    Samples(i64, Option<i64>),
}

/// The samples of a split that a plan runs over, by their index in the whole split.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Members {
    /// All of that many.
    All(u64),
    /// These, in rising order.
    Some(Arc<Vec<u32>>),
    /// These, each once, in the order of the list.
    List(Arc<Vec<u32>>),
}

impl Members {
    /// How many.
    pub fn len(&self) -> u64 {
        match self {
            Members::All(length) => *length,
            Members::Some(members) | Members::List(members) => members.len() as u64,
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The sample at `index` of them, `0..len`, as its index in the split.
    pub fn sample(&self, index: u64) -> u64 {
        match self {
            Members::All(_) => index,
            Members::Some(members) | Members::List(members) => u64::from(members[index as usize]),
        }
    }

    /// Where among them `sample` is; none if it is not. Looks through a list, since that is asked for damaged samples only.
    pub fn index_of(&self, sample: u64) -> Option<u64> {
        match self {
            Members::All(length) => (sample < *length).then_some(sample),
            Members::Some(members) => members.binary_search(&u32::try_from(sample).ok()?).ok().map(|at| at as u64),
            Members::List(members) => {
                members.iter().position(|member| u64::from(*member) == sample).map(|at| at as u64)
            }
        }
    }
}

impl SplitSlice {
    /// Reads `train`, `train[:80%]` and the like.
    ///
    /// # Errors
    /// [`PlanError::Slice`], saying what was found and what was expected.
    pub fn parse(text: &str) -> Result<Self, PlanError> {
        let bad = |why: &str| PlanError::Slice { text: text.chars().take(80).collect(), why: why.into() };
        let Some((split, rest)) = text.split_once('[') else {
            return Ok(SplitSlice { split: text.to_owned(), range: None });
        };
        let inner = rest.strip_suffix(']').ok_or_else(|| bad("the closing ] is missing"))?;
        let (low, high) = inner.split_once(':').ok_or_else(|| bad("a slice needs a colon, as in [:80%]"))?;
        let number = |text: &str| -> Result<Option<(i64, bool)>, PlanError> {
            let text = text.trim();
            let (digits, percent) = text.strip_suffix('%').map_or((text, false), |digits| (digits, true));
            if text.is_empty() {
                return Ok(None);
            }
            let value = digits.parse().map_err(|_| bad("its ends are whole numbers or whole percentages"))?;
            Ok(Some((value, percent)))
        };
        let (low, high) = (number(low)?, number(high)?);
        let percent = low.or(high).is_some_and(|(_, percent)| percent);
        if [low, high].iter().flatten().any(|(_, other)| *other != percent) {
            return Err(bad("its ends are both percentages or both numbers of samples"));
        }
        let range = if low.is_none() && high.is_none() {
            None
        } else if percent {
            let of_whole = |value: i64| (if value < 0 { value.saturating_add(100) } else { value }).clamp(0, 100);
            let (low, high) = (low.map_or(0, |x| of_whole(x.0)), high.map_or(100, |x| of_whole(x.0)));
            Some(Bounds::Percent(low, high))
        } else {
            Some(Bounds::Samples(low.map_or(0, |x| x.0), high.map(|x| x.0)))
        };
        Ok(SplitSlice { split: split.to_owned(), range })
    }

    /// Whether it is the whole split.
    pub fn is_whole(&self) -> bool {
        self.range.is_none()
    }

    /// The samples of a split of `length` samples, whose labels `label` tells. Takes time and memory linear in `length`, once;
    /// nothing for a whole split.
    ///
    /// # Errors
    /// [`PlanError::Slice`] if none are left, or the split has more than 2^32 samples.
    pub fn members(&self, length: u64, label: impl Fn(u64) -> i64) -> Result<Members, PlanError> {
        let Some(range) = self.range else { return Ok(Members::All(length)) };
        let bad = |why: String| PlanError::Slice { text: self.to_string(), why };
        if u32::try_from(length).is_err() {
            return Err(bad(format!("a split of {length} samples is too long for slices, expected at most 2^32 - 1")));
        }
        let order = Permutation::new(length, 0, 0, Purpose::Slice);
        let mut members: Vec<u32> = match range {
            Bounds::Samples(low, high) => {
                let signed = length as i64;
                let end = |x: i64| (if x < 0 { x.saturating_add(signed) } else { x }).clamp(0, signed) as u64;
                (end(low)..high.map_or(length, end)).map(|place| order.forward(place) as u32).collect()
            }
            Bounds::Percent(low, high) => {
                let mut totals: HashMap<i64, u64> = HashMap::new();
                (0..length).for_each(|sample| *totals.entry(label(sample)).or_default() += 1);
                let mut seen: HashMap<i64, u64> = HashMap::new();
                (0..length)
                    .map(|place| order.forward(place))
                    .filter(|sample| {
                        let class = label(*sample);
                        let rank = seen.entry(class).or_default();
                        let total = totals[&class];
                        let inside = boundary(low, class, total) <= *rank && *rank < boundary(high, class, total);
                        *rank += 1;
                        inside
                    })
                    .map(|sample| sample as u32)
                    .collect()
            }
        };
        if members.is_empty() {
            return Err(bad(format!("no samples are left of {length}")));
        }
        members.sort_unstable();
        members.shrink_to_fit();
        Ok(Members::Some(Arc::new(members)))
    }
}

impl fmt::Display for SplitSlice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.range {
            None => f.write_str(&self.split),
            Some(Bounds::Percent(low, high)) => write!(f, "{}[{low}%:{high}%]", self.split),
            Some(Bounds::Samples(low, None)) => write!(f, "{}[{low}:]", self.split),
            Some(Bounds::Samples(low, Some(high))) => write!(f, "{}[{low}:{high}]", self.split),
        }
    }
}

/// How many of the `total` samples of `class` lie before `percent`. The fraction is rounded up for a share of the classes
/// that equals it (the golden ratio spreads them evenly), so that many small classes together get their percentage too.
fn boundary(percent: i64, class: i64, total: u64) -> u64 {
    let spread = (class as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
    let hundredths = u128::from(total) * percent as u128;
    let up = (u128::from(spread) * 100) >> 32;
    ((hundredths + up) / 100) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn members(text: &str, length: u64, classes: i64) -> Vec<u64> {
        let slice = SplitSlice::parse(text).expect(text);
        let members = slice.members(length, |sample| sample as i64 % classes).expect(text);
        (0..members.len()).map(|index| members.sample(index)).collect()
    }

    #[test]
    fn the_two_sides_of_a_cut_are_disjoint_whole_and_stratified() {
        for (length, classes) in [(1000, 10), (997, 7), (60, 6), (5, 2)] {
            for percent in [1, 20, 33, 50, 80, 99] {
                let (Ok(low), Ok(high)) = [format!("train[:{percent}%]"), format!("train[{percent}%:]")]
                    .map(|text| SplitSlice::parse(&text).expect("a slice").members(length, |s| s as i64 % classes))
                    .into()
                else {
                    continue;
                };
                let [low, high] = [low, high].map(|m| (0..m.len()).map(|i| m.sample(i)).collect::<Vec<_>>());
                let mut union = [low.clone(), high].concat();
                union.sort_unstable();
                assert_eq!(union, (0..length).collect::<Vec<_>>());
                for class in 0..classes {
                    let of = |samples: &[u64]| samples.iter().filter(|s| **s as i64 % classes == class).count() as f64;
                    let all = (0..length).filter(|s| *s as i64 % classes == class).count() as f64;
                    assert!((of(&low) - all * f64::from(percent) / 100.0).abs() < 1.0);
                }
            }
        }
    }

    #[test]
    fn many_small_classes_together_get_their_percentage() {
        // 5 samples in each of 1000 classes: rounding each down would leave nothing of 10 %.
        let ten = members("train[:10%]", 5000, 1000);
        assert!((480..=520).contains(&ten.len()), "{}", ten.len());
    }

    #[test]
    fn slices_by_number_are_disjoint_and_negative_ends_count_from_the_end() {
        let (a, b) = (members("train[0:30]", 100, 3), members("train[30:]", 100, 3));
        assert_eq!((a.len(), b.len()), (30, 70));
        assert!(a.iter().all(|sample| !b.contains(sample)));
        assert_eq!(members("train[-30:]", 100, 3), members("train[70:100]", 100, 3));
        assert_eq!(members("train[-20%:]", 100, 3), members("train[80%:]", 100, 3));
        assert_ne!(a, (0..30).collect::<Vec<_>>(), "pseudo-random, not the first ones");
        assert_eq!(members("train[:]", 100, 3).len(), 100);
    }

    #[test]
    fn a_sample_keeps_its_index_in_the_whole_split() {
        let slice = SplitSlice::parse("validation[:50%]").expect("a slice");
        assert_eq!(slice.split, "validation");
        let members = slice.members(50, |_| -1).expect("25 samples");
        for index in 0..members.len() {
            assert_eq!(members.index_of(members.sample(index)), Some(index));
        }
        assert_eq!((0..50).filter(|sample| members.index_of(*sample).is_some()).count(), 25);
    }

    #[test]
    fn bad_slices_say_what_is_wrong() {
        for (text, why) in [
            ("train[:80%", "closing ]"),
            ("train[80%]", "colon"),
            ("train[a:b]", "whole numbers"),
            ("train[10%:50]", "both percentages"),
        ] {
            assert!(SplitSlice::parse(text).expect_err(text).to_string().contains(why), "{text}");
        }
        let empty = SplitSlice::parse("train[50%:50%]").expect("well formed").members(10, |_| 0);
        assert!(empty.expect_err("empty").to_string().contains("no samples are left of 10"));
    }
}
