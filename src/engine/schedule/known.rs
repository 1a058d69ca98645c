use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::engine::making::{BatchKey, Making};

/// Batches that are in a session's window, and finished ones that are kept for sessions that have yet to come to them; by what they are.
#[derive(Default)]
pub(super) struct Known {
    entries: HashMap<BatchKey, Entry>,
    /// Those that are kept, in the order in which they were.
    kept: BTreeMap<u64, Arc<Making>>,
    kept_bytes: u64,
    next: u64,
}

/// Most batches that are kept, however small: when a session leaves, all are looked at.
const MOST_KEPT: usize = 1024;

struct Entry {
    making: Arc<Making>,
    /// Sessions that have it in their window.
    holders: Vec<u64>,
    /// Its place among those that are kept.
    kept: Option<u64>,
}

impl Known {
    pub(super) fn get(&self, key: &BatchKey) -> Option<&Arc<Making>> {
        self.entries.get(key).map(|entry| &entry.making)
    }

    /// The sessions that have a batch in their window.
    pub(super) fn holders(&self, key: &BatchKey) -> &[u64] {
        self.entries.get(key).map_or(&[], |entry| &entry.holders)
    }

    /// A session has the batch in its window from now on.
    pub(super) fn hold(&mut self, id: u64, making: &Arc<Making>) {
        let entry = || Entry { making: Arc::clone(making), holders: Vec::new(), kept: None };
        self.entries.entry(making.key.clone()).or_insert_with(entry).holders.push(id);
    }

    /// A session has it no more. True if now nobody has it, and it is not known any more.
    pub(super) fn leave(&mut self, id: u64, key: &BatchKey) -> bool {
        let Some(entry) = self.entries.get_mut(key) else { return false };
        if let Some(at) = entry.holders.iter().position(|holder| *holder == id) {
            entry.holders.swap_remove(at);
        }
        self.forget(key)
    }

    /// Keeps a batch, if all that are kept are no more than `most_bytes`.
    pub(super) fn keep(&mut self, key: &BatchKey, most_bytes: u64) {
        let Some(entry) = self.entries.get_mut(key) else { return };
        let fits = self.kept.len() < MOST_KEPT && self.kept_bytes + entry.making.bytes <= most_bytes;
        if entry.kept.is_none() && fits {
            entry.kept = Some(self.next);
            self.kept.insert(self.next, Arc::clone(&entry.making));
            self.kept_bytes += entry.making.bytes;
            self.next += 1;
        }
    }

    /// Those that are kept.
    pub(super) fn kept(&self) -> impl Iterator<Item = &Arc<Making>> {
        self.kept.values()
    }

    pub(super) fn is_kept(&self, key: &BatchKey) -> bool {
        self.entries.get(key).is_some_and(|entry| entry.kept.is_some())
    }

    /// Of those that are kept, the one that came last.
    pub(super) fn last_kept(&self) -> Option<&Arc<Making>> {
        self.kept.values().next_back()
    }

    /// Keeps it no more. True if now nobody has it, and it is not known any more.
    pub(super) fn give_up(&mut self, key: &BatchKey) -> bool {
        let Some(entry) = self.entries.get_mut(key) else { return false };
        if let Some(making) = entry.kept.take().and_then(|at| self.kept.remove(&at)) {
            self.kept_bytes -= making.bytes;
        }
        self.forget(key)
    }

    fn forget(&mut self, key: &BatchKey) -> bool {
        let is_free = self.entries.get(key).is_some_and(|entry| entry.holders.is_empty() && entry.kept.is_none());
        if is_free {
            self.entries.remove(key);
        }
        is_free
    }

    /// All of them.
    #[cfg(test)]
    pub(super) fn all(&self) -> impl Iterator<Item = &Arc<Making>> {
        self.entries.values().map(|entry| &entry.making)
    }
}
