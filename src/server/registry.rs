use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;
use tracing::warn;

/// The live streams: how many, and by job and rank, since two of the same are usually a mistake.
#[derive(Clone, Default)]
pub(super) struct Registry {
    live: Arc<Mutex<HashMap<(String, u32), u32>>>,
    streams: watch::Sender<usize>,
}

/// One live stream; counted until dropped.
pub(super) struct Entry {
    registry: Registry,
    key: Option<(String, u32)>,
}

impl Registry {
    /// Counts a stream of `job` and `rank`, and reports it if there is another one. Streams without a job are not compared.
    pub(super) fn enter(&self, job: &str, rank: u32, client: &str) -> Entry {
        self.streams.send_modify(|streams| *streams += 1);
        let key = (!job.is_empty()).then(|| (job.to_owned(), rank));
        if let Some(key) = key.clone() {
            let mut live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
            let count = live.entry(key).or_default();
            *count += 1;
            if *count > 1 {
                warn!(job, rank, client, streams = *count, "two live streams of one job and rank");
            }
        }
        Entry { registry: self.clone(), key }
    }

    /// Over when there is no live stream.
    pub(super) async fn idle(&self) {
        // The sender is in this registry, so it can't be gone.
        let _ = self.streams.subscribe().wait_for(|streams| *streams == 0).await;
    }

    /// How many streams are live.
    pub(super) fn streams(&self) -> usize {
        *self.streams.borrow()
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.registry.streams.send_modify(|streams| *streams -= 1);
        let Some(key) = &self.key else { return };
        let mut live = self.registry.live.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = live.get_mut(key) {
            *count -= 1;
            if *count == 0 {
                live.remove(key);
            }
        }
    }
}
