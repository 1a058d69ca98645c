use std::fmt;
use std::str::FromStr;

/// Where a client stands: the epoch and the step of the next batch. `(e, steps)` equals `(e + 1, 0)`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cursor {
    /// Epoch, from 0.
    pub epoch: u32,
    /// Step in the epoch, from 0.
    pub step: u64,
}

impl Cursor {
    /// The cursor `by` steps further, in epochs of `steps` steps. None beyond the last epoch there can be.
    pub fn advanced(self, by: u64, steps: u64) -> Option<Cursor> {
        let step = u128::from(self.step) + u128::from(by);
        let epochs = u32::try_from(step / u128::from(steps.max(1))).ok()?;
        Some(Cursor { epoch: self.epoch.checked_add(epochs)?, step: (step % u128::from(steps.max(1))) as u64 })
    }

    /// Steps from the start of epoch 0, in epochs of `steps` steps.
    pub fn steps_from_start(self, steps: u64) -> u128 {
        u128::from(self.epoch) * u128::from(steps) + u128::from(self.step)
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.epoch, self.step)
    }
}

impl FromStr for Cursor {
    type Err = String;

    /// Reads `EPOCH:STEP`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parsed = text.split_once(':').and_then(|(epoch, step)| {
            Some(Cursor { epoch: epoch.trim().parse().ok()?, step: step.trim().parse().ok()? })
        });
        parsed.ok_or_else(|| format!("{text:?} is no cursor, expected EPOCH:STEP, such as 3:250"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_run_across_the_ends_of_epochs() {
        let at = |epoch, step| Cursor { epoch, step };
        assert_eq!(at(0, 3).advanced(1, 5), Some(at(0, 4)));
        assert_eq!(at(0, 4).advanced(1, 5), Some(at(1, 0)));
        assert_eq!(at(2, 5).advanced(0, 5), Some(at(3, 0)), "the end of an epoch is the start of the next");
        assert_eq!(at(0, 4).advanced(13, 5), Some(at(3, 2)));
        assert_eq!(at(u32::MAX, 4).advanced(1, 5), None);
        assert_eq!(at(3, 2).steps_from_start(5), 17);
    }

    #[test]
    fn cursors_are_read_as_they_are_written() {
        assert_eq!("3:250".parse(), Ok(Cursor { epoch: 3, step: 250 }));
        assert_eq!(Cursor { epoch: 3, step: 250 }.to_string(), "3:250");
        for bad in ["", "3", "3:", ":2", "a:b", "-1:2", "3:2:1"] {
            assert!(bad.parse::<Cursor>().expect_err(bad).contains("EPOCH:STEP"));
        }
    }
}
