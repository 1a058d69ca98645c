use std::future::Future;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use tonic::transport::server::Connected;

use super::socket::Peer;

/// A connection that ends, whatever its peer does, when the server is out of patience.
pub(super) struct Connection<S> {
    socket: S,
    cut: Pin<Box<WaitForCancellationFutureOwned>>,
    peer: Peer,
    /// Whether the socket took nothing when it was last written to.
    is_full: bool,
}

impl<S: Unpin> Connection<S> {
    /// `socket` until `cut` is cancelled.
    pub(super) fn new(socket: S, peer: Peer, cut: &CancellationToken) -> Connection<S> {
        Connection { socket, cut: Box::pin(cut.clone().cancelled_owned()), peer, is_full: false }
    }

    /// The socket, or why there is none any more. HTTP/2 always reads, so that it is woken by the cut.
    fn socket(&mut self, context: &mut Context<'_>) -> io::Result<Pin<&mut S>> {
        if self.cut.as_mut().poll(context).is_ready() {
            return Err(io::Error::new(io::ErrorKind::ConnectionAborted, "the server stops"));
        }
        Ok(Pin::new(&mut self.socket))
    }

    /// Notes whether the socket took what was written; `written` as it is.
    fn noted(&mut self, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if written.is_pending() != self.is_full {
            self.is_full = written.is_pending();
            self.peer.socket.set_full(self.is_full);
        }
        written
    }
}

impl<S> Drop for Connection<S> {
    fn drop(&mut self) {
        self.peer.socket.close();
    }
}

impl<S> Connected for Connection<S> {
    type ConnectInfo = Peer;

    fn connect_info(&self) -> Peer {
        self.peer.clone()
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Connection<S> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.socket(context)?.poll_read(context, out)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Connection<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = self.socket(context)?.poll_write(context, bytes);
        self.noted(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = self.socket(context)?.poll_write_vectored(context, slices);
        self.noted(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.socket(context)?.poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.socket(context)?.poll_shutdown(context)
    }
}
