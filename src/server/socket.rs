use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long a socket has taken no more bytes. It is full when the network is slower than what is sent, or its reader is; a client
/// that asks for nothing more closes HTTP/2's window instead, and nothing is written.
#[derive(Debug, Default)]
pub(super) struct Socket {
    time: Mutex<(Duration, Option<Instant>)>,
}

/// What a request knows of its connection.
#[derive(Clone, Debug, Default)]
pub(super) struct Peer {
    /// The client's address; none on a Unix socket.
    pub(super) address: Option<SocketAddr>,
    pub(super) socket: Arc<Socket>,
}

impl Socket {
    /// It takes no more, or takes some again.
    pub(super) fn set_full(&self, is_full: bool) {
        let mut time = self.time.lock().unwrap_or_else(PoisonError::into_inner);
        match (is_full, time.1) {
            (true, None) => time.1 = Some(Instant::now()),
            (false, Some(since)) => *time = (time.0 + since.elapsed(), None),
            _ => {}
        }
    }

    /// How long it has been full, up to now.
    pub(super) fn full(&self) -> Duration {
        let (total, since) = *self.time.lock().unwrap_or_else(PoisonError::into_inner);
        total + since.map_or(Duration::ZERO, |since| since.elapsed())
    }
}
