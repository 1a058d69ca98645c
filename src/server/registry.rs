use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tracing::warn;

/// Live streams by job and rank: two of the same are usually a mistake.
#[derive(Clone, Default)]
pub(super) struct Registry {
    live: Arc<Mutex<HashMap<(String, u32), u32>>>,
}

/// One live stream; counted until dropped.
pub(super) struct Entry {
    registry: Registry,
    key: (String, u32),
}

impl Registry {
    /// Counts a stream of `job` and `rank`, and reports it if there is another one. Streams without a job are not counted.
    pub(super) fn enter(&self, job: &str, rank: u32, client: &str) -> Option<Entry> {
        if job.is_empty() {
            return None;
        }
        let key = (job.to_owned(), rank);
        let mut live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        let count = live.entry(key.clone()).or_default();
        *count += 1;
        if *count > 1 {
            warn!(job, rank, client, streams = *count, "two live streams of one job and rank");
        }
        Some(Entry { registry: self.clone(), key })
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        let mut live = self.registry.live.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = live.get_mut(&self.key) {
            *count -= 1;
            if *count == 0 {
                live.remove(&self.key);
            }
        }
    }
}
