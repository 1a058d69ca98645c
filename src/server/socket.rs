use std::net::SocketAddr;
use std::os::fd::{AsRawFd, RawFd};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::net::TcpStream;

use super::kernel;

/// How long bytes have been under way through a socket. A trainer that asks for nothing more closes HTTP/2's window, and nothing is
/// written; a network that is slower than what is sent always has something to do.
#[derive(Debug, Default)]
pub(super) struct Socket {
    counted: Mutex<Counted>,
    /// How long it took no more bytes, and since when: what is to be known where the system does not count.
    full: Mutex<(Duration, Option<Instant>)>,
}

/// What the system counts for a socket.
#[derive(Debug, Default)]
struct Counted {
    /// The socket, as long as it is open.
    socket: Option<RawFd>,
    /// What it said last.
    last: Option<Duration>,
}

/// What a request knows of its connection.
#[derive(Clone, Debug, Default)]
pub(super) struct Peer {
    /// The client's address; none on a Unix socket.
    pub(super) address: Option<SocketAddr>,
    /// Whether the client is a process of this host, as far as addresses tell.
    pub(super) is_here: bool,
    pub(super) socket: Arc<Socket>,
}

impl Peer {
    /// The other end of `socket`; whoever owns that calls [`Socket::close`] before it is gone.
    pub(super) fn of(socket: &TcpStream) -> Peer {
        let address = socket.peer_addr().ok();
        let is_here = address.is_some_and(|address| {
            let ip = address.ip().to_canonical();
            ip.is_loopback() || socket.local_addr().is_ok_and(|own| own.ip().to_canonical() == ip)
        });
        let counted = Mutex::new(Counted { socket: Some(socket.as_raw_fd()), last: None });
        Peer { address, is_here, socket: Arc::new(Socket { counted, full: Mutex::default() }) }
    }

    /// A client on a Unix socket.
    pub(super) fn on_this_host() -> Peer {
        Peer { is_here: true, ..Peer::default() }
    }
}

impl Counted {
    fn now(&mut self) -> Option<Duration> {
        // Open: it is closed under the same lock.
        self.last = self.socket.and_then(kernel::busy).or(self.last);
        self.last
    }
}

impl Socket {
    /// How long bytes have been under way, up to now.
    pub(super) fn under_way(&self) -> Duration {
        let counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner).now();
        counted.unwrap_or_else(|| self.full())
    }

    /// It is about to be closed, and its number may be another one's then.
    pub(super) fn close(&self) {
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        counted.now();
        counted.socket = None;
    }

    /// It takes no more, or takes some again.
    pub(super) fn set_full(&self, is_full: bool) {
        let mut full = self.full.lock().unwrap_or_else(PoisonError::into_inner);
        match (is_full, full.1) {
            (true, None) => full.1 = Some(Instant::now()),
            (false, Some(since)) => *full = (full.0 + since.elapsed(), None),
            _ => {}
        }
    }

    fn full(&self) -> Duration {
        let (total, since) = *self.full.lock().unwrap_or_else(PoisonError::into_inner);
        total + since.map_or(Duration::ZERO, |since| since.elapsed())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_the_system_it_is_the_time_that_it_took_no_more() {
        let socket = Socket::default();
        assert_eq!(socket.under_way(), Duration::ZERO);
        socket.set_full(false);
        assert_eq!(socket.under_way(), Duration::ZERO);
        let passed = Duration::from_secs(5);
        socket.full.lock().expect("alone").1 = Instant::now().checked_sub(passed);
        assert!(socket.under_way() >= passed, "it is full now");
        socket.set_full(false);
        let total = socket.under_way();
        assert!(total >= passed && socket.under_way() == total);
    }

    #[tokio::test]
    #[cfg(target_os = "linux")]
    async fn bytes_that_nobody_reads_are_under_way_until_the_socket_closes() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let reader = TcpStream::connect(listener.local_addr().expect("bound")).await.expect("listening");
        let (writer, _) = listener.accept().await.expect("connected");
        let peer = Peer::of(&writer);
        // Until both ends hold all that they can.
        while writer.try_write(&[0; 1 << 20]).is_ok() {}
        let first = peer.socket.under_way();
        while peer.socket.under_way() == first {
            tokio::task::yield_now().await;
        }
        peer.socket.close();
        let last = peer.socket.under_way();
        assert!(last > first && peer.socket.full() == Duration::ZERO);
        drop((writer, reader));
        assert_eq!(peer.socket.under_way(), last, "what it said last");
    }
}
