use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use feedline_proto::v1::StreamRequest;
use feedline_proto::v1::feedline_service_server::{FeedlineService, FeedlineServiceServer};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue};
use http_body::Frame;
use tokio_stream::Stream;
use tonic::body::Body;
use tonic::codec::{Codec, Streaming};
use tonic::codegen::{BoxFuture, Service as HttpService};
use tonic::metadata::GRPC_CONTENT_TYPE;
use tonic::server::NamedService;
use tonic::{Request, Status};
use tonic_prost::ProstCodec;

use super::service::Service;
use super::stream::PartStream;
use crate::wire;

/// The service as HTTP calls it: by the generated code, but for `Stream`, which would copy every part into a buffer of its own.
#[derive(Clone)]
pub(super) struct Front {
    service: Arc<Service>,
    generated: FeedlineServiceServer<Service>,
    max_request_bytes: usize,
}

impl Front {
    /// `service`, which takes requests of at most so many bytes.
    pub(super) fn new(service: Service, max_request_bytes: usize) -> Front {
        let service = Arc::new(service);
        let generated = FeedlineServiceServer::from_arc(Arc::clone(&service));
        Front { service, generated: generated.max_decoding_message_size(max_request_bytes), max_request_bytes }
    }
}

impl NamedService for Front {
    const NAME: &'static str = <FeedlineServiceServer<Service> as NamedService>::NAME;
}

impl HttpService<http::Request<Body>> for Front {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<http::Response<Body>, Infallible>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        HttpService::<http::Request<Body>>::poll_ready(&mut self.generated, context)
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        // What is compressed is refused, in the words of the generated code.
        if request.uri().path() != wire::STREAM || request.headers().contains_key("grpc-encoding") {
            return self.generated.call(request);
        }
        let (service, most) = (Arc::clone(&self.service), self.max_request_bytes);
        Box::pin(async move { Ok(stream(&service, request, most).await.unwrap_or_else(Status::into_http)) })
    }
}

async fn stream(service: &Service, request: http::Request<Body>, most: usize) -> Result<http::Response<Body>, Status> {
    let (metadata, extensions, body) = Request::from_http(request).into_parts();
    let decoder = ProstCodec::<(), StreamRequest>::default().decoder();
    let message = Streaming::new_request(decoder, body, None, Some(most)).message().await?;
    let message = message.ok_or_else(|| Status::internal("a request without a message"))?;
    let parts = service.stream(Request::from_parts(metadata, extensions, message)).await?.into_inner();
    let mut response = http::Response::new(Body::new(PartBody { parts, data: Bytes::new(), ended: false }));
    response.headers_mut().insert(CONTENT_TYPE, GRPC_CONTENT_TYPE);
    Ok(response)
}

/// Parts as HTTP/2 sends them: of each what stands before its data, and then the data as the slice of the batch that it is.
struct PartBody {
    parts: PartStream,
    /// Of the part whose beginning has been sent.
    data: Bytes,
    ended: bool,
}

impl http_body::Body for PartBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if !self.data.is_empty() {
            return Poll::Ready(Some(Ok(Frame::data(std::mem::take(&mut self.data)))));
        }
        if self.ended {
            return Poll::Ready(None);
        }
        let status = match ready!(Pin::new(&mut self.parts).poll_next(context)) {
            Some(Ok(part)) => {
                let (head, data) = wire::framed(part);
                self.data = data;
                return Poll::Ready(Some(Ok(Frame::data(head))));
            }
            Some(Err(status)) => status,
            None => Status::ok(""),
        };
        self.ended = true;
        let mut trailers = HeaderMap::new();
        if status.add_header(&mut trailers).is_err() {
            trailers.insert(Status::GRPC_STATUS, HeaderValue::from(status.code() as i32));
        }
        Poll::Ready(Some(Ok(Frame::trailers(trailers))))
    }

    fn is_end_stream(&self) -> bool {
        self.ended && self.data.is_empty()
    }
}
