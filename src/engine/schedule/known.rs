use std::collections::HashMap;
use std::sync::{Arc, Weak};

use crate::engine::making::{BatchKey, Making};

/// Batches being made, or finished and still held by somebody, by what they are.
pub(super) struct Known {
    makings: HashMap<BatchKey, Weak<Making>>,
    /// How many there may be before those that are gone are looked for: looking each time would cost as much as there are.
    tidy_at: usize,
}

/// Fewest batches among which those that are gone are looked for.
const LEAST_TIDY: usize = 256;

impl Known {
    pub(super) fn new() -> Known {
        Known { makings: HashMap::new(), tidy_at: LEAST_TIDY }
    }

    pub(super) fn get(&self, key: &BatchKey) -> Option<Arc<Making>> {
        self.makings.get(key).and_then(Weak::upgrade)
    }

    pub(super) fn insert(&mut self, key: BatchKey, making: &Arc<Making>) {
        if self.makings.len() >= self.tidy_at {
            self.makings.retain(|_, making| making.strong_count() > 0);
            self.tidy_at = (self.makings.len() * 2).max(LEAST_TIDY);
        }
        self.makings.insert(key, Arc::downgrade(making));
    }

    pub(super) fn remove(&mut self, key: &BatchKey) {
        self.makings.remove(key);
    }
}
