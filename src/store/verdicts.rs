use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Whether a sample can be decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum State {
    /// Its header is whole; not decoded yet.
    Unknown = 0,
    /// Decoded whole, nothing wrong.
    Sound = 1,
    /// Can't be decoded whole.
    Damaged = 2,
    /// More pixels than the limit. No damage.
    TooLarge = 3,
    /// Its file could not be read when the dataset was loaded. No damage.
    Unreadable = 4,
}

/// States of a split's samples, and the causes of the bad ones. A state other than unknown is final.
#[derive(Debug)]
pub(super) struct Verdicts {
    states: Box<[AtomicU8]>,
    /// By index. Damage is rare, so a lock does.
    causes: Mutex<BTreeMap<usize, Box<str>>>,
}

impl Verdicts {
    /// Bytes of memory of a sample that nothing is wrong with.
    pub(super) const BYTES: usize = size_of::<AtomicU8>();

    pub(super) fn new(states: impl Iterator<Item = State>, causes: BTreeMap<usize, Box<str>>) -> Self {
        Verdicts { states: states.map(|state| AtomicU8::new(state as u8)).collect(), causes: Mutex::new(causes) }
    }

    pub(super) fn state(&self, index: usize) -> State {
        // Nothing else is read on the strength of it: a cause has a lock of its own.
        State::of(self.states[index].load(Ordering::Relaxed))
    }

    pub(super) fn states(&self) -> impl ExactSizeIterator<Item = State> {
        self.states.iter().map(|state| State::of(state.load(Ordering::Relaxed)))
    }

    pub(super) fn cause(&self, index: usize) -> Option<String> {
        self.causes().get(&index).map(|cause| cause.to_string())
    }

    pub(super) fn mark_sound(&self, index: usize) {
        // Usually it is known by now; a plain read is then shared by all processors.
        if self.state(index) == State::Unknown {
            self.decide(index, State::Sound);
        }
    }

    pub(super) fn mark_damaged(&self, index: usize, cause: &str) {
        // Under the lock, so that whoever sees the state finds the cause.
        let mut causes = self.causes();
        if self.decide(index, State::Damaged) {
            causes.insert(index, cause.into());
        }
    }

    fn decide(&self, index: usize, state: State) -> bool {
        let unknown = State::Unknown as u8;
        self.states[index].compare_exchange(unknown, state as u8, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    fn causes(&self) -> MutexGuard<'_, BTreeMap<usize, Box<str>>> {
        // A panic can't leave the map half changed.
        self.causes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn of(number: u8) -> Self {
        match number {
            1 => State::Sound,
            2 => State::Damaged,
            3 => State::TooLarge,
            4 => State::Unreadable,
            _ => State::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_verdict_stays() {
        let all = [State::Unknown, State::Sound, State::Damaged, State::TooLarge, State::Unreadable];
        let verdicts = Verdicts::new(all.into_iter(), BTreeMap::from([(4, "gone".into())]));
        assert_eq!(verdicts.states().collect::<Vec<_>>(), all);
        (0..5).for_each(|index| verdicts.mark_damaged(index, "torn"));
        (0..5).for_each(|index| verdicts.mark_sound(index));
        assert_eq!(
            verdicts.states().collect::<Vec<_>>(),
            [State::Damaged, State::Sound, State::Damaged, State::TooLarge, State::Unreadable]
        );
        let causes: Vec<_> = (0..5).map(|index| verdicts.cause(index)).collect();
        assert_eq!(causes, [Some("torn".into()), None, None, None, Some("gone".into())]);
    }
}
