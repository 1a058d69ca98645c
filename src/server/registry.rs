use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use feedline_proto::v1;
use tokio::sync::watch;
use tracing::warn;

use super::flow::Flow;

/// The live streams: how many, and by job and rank, since two of the same are usually a mistake.
#[derive(Clone, Default)]
pub(super) struct Registry {
    live: Arc<Mutex<HashMap<(String, u32), u32>>>,
    streams: watch::Sender<usize>,
    /// By the number of their session.
    flows: Arc<Mutex<BTreeMap<u64, Arc<Flow>>>>,
}

/// One live stream; counted until dropped.
pub(super) struct Entry {
    registry: Registry,
    key: Option<(String, u32)>,
    id: u64,
    /// What it has sent.
    pub(super) flow: Arc<Flow>,
}

impl Registry {
    /// Counts the stream of a session, and reports it if there is another one of its job and rank. Streams without a job are
    /// not compared.
    pub(super) fn enter(&self, flow: Flow) -> Entry {
        self.streams.send_modify(|streams| *streams += 1);
        let v1::StreamStatus { id, job, rank, client, .. } = flow.about();
        let (id, key) = (*id, (!job.is_empty()).then(|| (job.to_owned(), *rank)));
        if let Some(key) = key.clone() {
            let mut live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
            let count = live.entry(key).or_default();
            *count += 1;
            if *count > 1 {
                warn!(job, rank, client, streams = *count, "two live streams of one job and rank");
            }
        }
        let flow = Arc::new(flow);
        self.flows.lock().unwrap_or_else(PoisonError::into_inner).insert(id, Arc::clone(&flow));
        Entry { registry: self.clone(), key, id, flow }
    }

    /// The live streams by the number of their session, in the order in which they began.
    pub(super) fn flows(&self) -> Vec<(u64, Arc<Flow>)> {
        let flows = self.flows.lock().unwrap_or_else(PoisonError::into_inner);
        flows.iter().map(|(id, flow)| (*id, Arc::clone(flow))).collect()
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
        self.registry.flows.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.id);
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
