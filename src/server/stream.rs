use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use feedline_proto::v1::BatchPart;
use tokio_stream::Stream;
use tokio_util::sync::WaitForCancellationFutureOwned;
use tonic::Status;
use tracing::{Span, info, warn};

use super::lender::Lender;
use super::registry::Entry;
use super::status;
use crate::engine::Session;
use crate::wire::Parts;

/// The answer to one `Stream` request: parts of batch after batch, made as fast as the client takes them. There is no queue
/// here: HTTP/2 asks for the next part when it has room, and the session makes its prefetch ahead.
pub(super) struct PartStream {
    session: Session,
    /// For a client that shares memory with the server.
    lender: Option<Lender>,
    parts: Option<Parts>,
    stopping: Pin<Box<WaitForCancellationFutureOwned>>,
    span: Span,
    entry: Entry,
    started: Instant,
    batches: u64,
    end: &'static str,
}

impl PartStream {
    pub(super) fn new(
        session: Session,
        lender: Option<Lender>,
        stopping: WaitForCancellationFutureOwned,
        entry: Entry,
        span: Span,
    ) -> PartStream {
        PartStream {
            session,
            lender,
            parts: None,
            stopping: Box::pin(stopping),
            span,
            entry,
            started: Instant::now(),
            batches: 0,
            end: "the client left",
        }
    }
}

impl Stream for PartStream {
    type Item = Result<BatchPart, Status>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        // What is lent may be read until it comes back: nothing follows it, not even the end.
        if let Some(lender) = &mut this.lender {
            ready!(lender.poll_returned(context));
        }
        this.entry.flow.asked();
        loop {
            if let Some(parts) = &mut this.parts
                && let Some(part) = parts.next()
            {
                this.entry.flow.handed_out(parts.batch(), parts.bytes(&part), parts.is_over());
                return Poll::Ready(Some(Ok(part)));
            }
            this.parts = None;
            // Between two batches is where a stopping server ends its streams, but for those that have all of theirs.
            let has_all = this.session.request().count == Some(this.batches);
            if !has_all && this.stopping.as_mut().poll(context).is_ready() {
                this.end = "the server stops";
                return Poll::Ready(Some(Err(status::draining())));
            }
            match this.session.poll_next(context) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(None) => {
                    this.end = "count";
                    return Poll::Ready(None);
                }
                Poll::Ready(Some(Ok(batch))) => {
                    let request = this.session.request();
                    let repeated = request.repeat && this.batches > 0;
                    let is_lent = this.lender.as_mut().is_some_and(|lender| lender.lend(&batch));
                    let parts = if is_lent { Parts::in_shared_memory } else { Parts::new };
                    this.parts = Some(parts(batch, request, repeated));
                    this.batches += 1;
                }
                Poll::Ready(Some(Err(error))) => {
                    this.end = "error";
                    let _span = this.span.enter();
                    warn!(%error, "stream failed");
                    return Poll::Ready(Some(Err(status::of_batch(&error))));
                }
            }
        }
    }
}

impl Drop for PartStream {
    fn drop(&mut self) {
        let _span = self.span.enter();
        let ((batches, bytes), end) = (self.entry.flow.sent(), self.end);
        info!(batches, bytes, seconds = self.started.elapsed().as_secs_f64(), end, "stream ended");
    }
}
