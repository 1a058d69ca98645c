use std::io::ErrorKind;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use feedline_proto::v1;
use tokio::net::UnixStream;

use crate::engine::Lease;
use crate::wire;

/// Hands batches to a client on this host by the files of their memory, one at a time.
pub(super) struct Lender {
    socket: UnixStream,
    key: Vec<u8>,
    /// What the client has, and nobody may write to.
    lent: Option<Arc<Lease>>,
    /// The client has closed its end: it takes no more in this way.
    is_closed: bool,
}

impl Lender {
    /// For a client of this host; none if it can't be reached by the socket that it named.
    pub(super) fn reach(asked: v1::SharedMemory) -> Option<Lender> {
        let socket = std::os::unix::net::UnixStream::from(wire::reach(&asked.socket).ok()?);
        let socket = UnixStream::from_std(socket).ok()?;
        Some(Lender { socket, key: asked.key, lent: None, is_closed: false })
    }

    /// Whether what was lent has come back; wakes the task of `context` when it has.
    pub(super) fn poll_returned(&mut self, context: &mut Context<'_>) -> Poll<()> {
        while self.lent.is_some() {
            let readable = ready!(self.socket.poll_read_ready(context));
            match readable.and_then(|()| self.socket.try_read(&mut [0])) {
                Ok(1) => self.lent = None,
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                _ => (self.lent, self.is_closed) = (None, true),
            }
        }
        Poll::Ready(())
    }

    /// Lends `batch`, unless its memory can't be shared, or the client takes no more in this way.
    pub(super) fn lend(&mut self, batch: &Arc<Lease>) -> bool {
        let Some(file) = batch.file().filter(|_| !self.is_closed) else { return false };
        let is_lent = wire::hand_over(&self.socket, &self.key, file).is_ok();
        self.is_closed = !is_lent;
        self.lent = is_lent.then(|| Arc::clone(batch));
        is_lent
    }
}
