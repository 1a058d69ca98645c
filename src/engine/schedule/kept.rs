use std::collections::VecDeque;
use std::sync::Arc;

use crate::engine::making::Making;

/// Finished batches that a session of the same group has yet to come to, the oldest first.
#[derive(Default)]
pub(super) struct Kept {
    makings: VecDeque<Arc<Making>>,
    bytes: u64,
}

/// Most batches that are kept, however small: each one that a session passes is looked for among them.
const MOST: usize = 1024;

impl Kept {
    /// Keeps `making`, if it is not kept yet and all of them are no more than `most_bytes`.
    pub(super) fn push(&mut self, making: &Arc<Making>, most_bytes: u64) {
        if self.makings.len() < MOST && self.bytes + making.bytes <= most_bytes && !self.has(making) {
            self.bytes += making.bytes;
            self.makings.push_back(Arc::clone(making));
        }
    }

    pub(super) fn has(&self, making: &Arc<Making>) -> bool {
        self.makings.iter().any(|kept| Arc::ptr_eq(kept, making))
    }

    /// Gives up the one that came last.
    pub(super) fn pop(&mut self) -> Option<Arc<Making>> {
        let making = self.makings.pop_back()?;
        self.bytes -= making.bytes;
        Some(making)
    }

    /// Gives up those of which `gone` holds.
    pub(super) fn give_up(&mut self, gone: impl Fn(&Arc<Making>) -> bool, mut give: impl FnMut(Arc<Making>)) {
        let bytes = &mut self.bytes;
        self.makings.retain(|making| {
            let goes = gone(making);
            if goes {
                *bytes -= making.bytes;
                give(Arc::clone(making));
            }
            !goes
        });
    }
}
