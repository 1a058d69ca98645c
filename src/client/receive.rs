use std::io;
use std::sync::{Mutex, PoisonError};

use bytes::{Buf, Bytes, BytesMut};
use feedline_proto::v1::StreamRequest;
use http::header::{CONTENT_TYPE, HeaderValue, TE};
use http::{StatusCode, Uri};
use http_body_util::{BodyExt, Full};
use tonic::body::Body;
use tonic::codegen::Service;
use tonic::metadata::GRPC_CONTENT_TYPE;
use tonic::transport::Channel;
use tonic::{Code, Status};

use super::MOST_MESSAGE_BYTES;
use super::assemble::{Assembler, Batch, PartError};
use super::shared::SharedMemory;
use crate::wire::{self, Head};

/// The answer to a `Stream` request, read as HTTP/2 delivers it: data goes from the connection's buffer to its place in the batch. The
/// generated client would gather every message in a buffer of its own first.
#[derive(Debug)]
pub(super) struct Receiver {
    /// Never locked: a mutex makes what may be sent to another thread one that threads may share.
    body: Mutex<Body>,
    /// What came last and is not used up.
    chunk: Bytes,
    reader: Reader,
    /// What the stream asked for, if it did.
    shared_memory: Option<SharedMemory>,
}

/// What ends a stream early.
#[derive(Debug)]
pub(super) enum Trouble {
    /// What the server said, or how the connection was lost.
    Status(Status),
    /// What came breaks the contract.
    Broken(String),
}

impl From<PartError> for Trouble {
    fn from(error: PartError) -> Trouble {
        Trouble::Broken(error.to_string())
    }
}

impl From<Status> for Trouble {
    fn from(status: Status) -> Trouble {
        Trouble::Status(status)
    }
}

impl Receiver {
    /// Sends `request`, and waits for the beginning of the answer. Its batches have at most `most_bytes` bytes.
    pub(super) async fn open(
        mut channel: Channel,
        request: &StreamRequest,
        most_bytes: u64,
        shared_memory: Option<SharedMemory>,
    ) -> Result<Receiver, Status> {
        let request = http_request(request);
        let broken = |error: tonic::transport::Error| Status::from_error(Box::new(error));
        std::future::poll_fn(|context| Service::poll_ready(&mut channel, context)).await.map_err(broken)?;
        let (answer, body) = channel.call(request).await.map_err(broken)?.into_parts();
        if let Some(status) = Status::from_header_map(&answer.headers) {
            return Err(ended(status));
        }
        if answer.status != StatusCode::OK {
            return Err(of_http(answer.status));
        }
        Ok(Receiver { body: Mutex::new(body), chunk: Bytes::new(), reader: Reader::new(most_bytes), shared_memory })
    }

    /// The next batch, or none when there is more of it than before: whoever waits asks again.
    pub(super) async fn next(&mut self) -> Result<Option<Batch>, Trouble> {
        if let Some(batch) = self.read().await? {
            return Ok(Some(batch));
        }
        let body = self.body.get_mut().unwrap_or_else(PoisonError::into_inner);
        let Some(frame) = body.frame().await else { return Err(early().into()) };
        match frame?.into_data() {
            Ok(data) => self.chunk = data,
            Err(frame) => {
                return Err(frame.trailers_ref().and_then(Status::from_header_map).map_or_else(early, ended).into());
            }
        }
        self.read().await
    }

    /// The next batch, if what has come completes one.
    async fn read(&mut self) -> Result<Option<Batch>, Trouble> {
        let batch = self.reader.read(&mut self.chunk)?;
        if !self.reader.is_elsewhere {
            return Ok(batch);
        }
        let unasked = || Trouble::Broken("a batch in shared memory, which was not asked for".into());
        let shared_memory = self.shared_memory.as_mut().ok_or_else(unasked)?;
        let broken = |error: io::Error| Trouble::Broken(format!("shared memory: {error}"));
        let memory = shared_memory.take().await.map_err(broken)?;
        self.reader.is_elsewhere = false;
        let batch = self.reader.assembler.fill_from(memory);
        shared_memory.give_back();
        Ok(Some(batch?))
    }
}

/// A stream that ends before its count was cut off by something between us.
fn early() -> Status {
    Status::unavailable("the stream ended early")
}

fn ended(status: Status) -> Status {
    if status.code() == Code::Ok { early() } else { status }
}

fn http_request(message: &StreamRequest) -> http::Request<Body> {
    let mut request = http::Request::new(Body::new(Full::new(wire::whole(message))));
    *request.method_mut() = http::Method::POST;
    // Scheme and authority are the channel's.
    *request.uri_mut() = Uri::from_static(wire::STREAM);
    *request.version_mut() = http::Version::HTTP_2;
    request.headers_mut().insert(TE, HeaderValue::from_static("trailers"));
    request.headers_mut().insert(CONTENT_TYPE, GRPC_CONTENT_TYPE);
    request
}

/// What an answer that is none of gRPC's comes to, by the table of gRPC.
fn of_http(status: StatusCode) -> Status {
    let code = match status {
        StatusCode::BAD_REQUEST => Code::Internal,
        StatusCode::UNAUTHORIZED => Code::Unauthenticated,
        StatusCode::FORBIDDEN => Code::PermissionDenied,
        StatusCode::NOT_FOUND => Code::Unimplemented,
        StatusCode::TOO_MANY_REQUESTS
        | StatusCode::BAD_GATEWAY
        | StatusCode::SERVICE_UNAVAILABLE
        | StatusCode::GATEWAY_TIMEOUT => Code::Unavailable,
        _ => Code::Unknown,
    };
    Status::new(code, format!("HTTP status {status}, expected an answer of gRPC"))
}

/// Makes batches of bytes, however they are cut.
#[derive(Debug)]
struct Reader {
    assembler: Assembler,
    /// Bytes of a message that do not yet tell all but its data.
    begun: BytesMut,
    /// Bytes of data that are to come.
    data: usize,
    /// The batch that has begun lies in shared memory, and is yet to be taken from there.
    is_elsewhere: bool,
}

impl Reader {
    fn new(most_bytes: u64) -> Reader {
        Reader { assembler: Assembler::new(most_bytes), begun: BytesMut::new(), data: 0, is_elsewhere: false }
    }

    /// Uses up what it needs of `chunk`: all of it, unless a batch is done, or is elsewhere.
    fn read(&mut self, chunk: &mut Bytes) -> Result<Option<Batch>, PartError> {
        while !chunk.is_empty() && !self.is_elsewhere {
            if self.data > 0 {
                let data = chunk.split_to(self.data.min(chunk.len()));
                self.data -= data.len();
                if let Some(batch) = self.assembler.fill(&data)? {
                    return Ok(Some(batch));
                }
                continue;
            }
            if !self.begun.is_empty() {
                self.begun.extend_from_slice(chunk);
                *chunk = self.begun.split().freeze();
            }
            match wire::head(chunk, MOST_MESSAGE_BYTES)? {
                Head::More => self.begun.extend_from_slice(&chunk.split_off(0)),
                Head::Part { part, taken, data } => {
                    chunk.advance(taken);
                    self.data = data;
                    self.assembler.begin(&part, data + part.data.len())?;
                    self.is_elsewhere = part.in_shared_memory;
                    // An empty payload is whole at once.
                    if data == 0
                        && !self.is_elsewhere
                        && let Some(batch) = self.assembler.fill(&part.data)?
                    {
                        return Ok(Some(batch));
                    }
                }
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use feedline_proto::tensor::lay_out;
    use feedline_proto::v1::{BatchHeader, BatchPart, Dtype, Tensor};
    use prost::Message;

    use super::*;

    /// Two batches of 10,000 bytes and an empty one between them, as they travel, and the bytes of the first.
    fn wire() -> (Vec<u8>, Vec<u8>) {
        let mut bytes = Vec::new();
        let mut first = Vec::new();
        for (step, length) in [10_000, 0, 10_000].into_iter().enumerate() {
            let mut tensors = vec![Tensor {
                name: "image".into(),
                dtype: Dtype::Uint8.into(),
                shape: vec![length],
                ..Default::default()
            }];
            let payload_bytes = lay_out(&mut tensors).expect("small");
            let payload: Vec<u8> = (0..payload_bytes).map(|x| if x < length { (x / 7) as u8 } else { 0 }).collect();
            let payload_crc32c = Some(feedline_proto::crc32c::of(&payload));
            let header =
                BatchHeader { step: step as u64, tensors, payload_bytes, payload_crc32c, ..Default::default() };
            let header = header.encode_to_vec();
            let cuts: Vec<_> = if payload.is_empty() { vec![&payload[..]] } else { payload.chunks(3_000).collect() };
            for (index, data) in cuts.into_iter().enumerate() {
                let header = if index == 0 { header.clone() } else { Vec::new() };
                let (head, data) = wire::framed(BatchPart {
                    header_crc32c: (index == 0).then(|| feedline_proto::crc32c::of(&header)),
                    header: header.into(),
                    offset: index as u64 * 3_000,
                    data: data.to_vec().into(),
                    ..Default::default()
                });
                bytes.extend_from_slice(&head);
                bytes.extend_from_slice(&data);
            }
            if step == 0 {
                first = payload;
            }
        }
        (bytes, first)
    }

    #[test]
    fn batches_are_the_same_however_their_bytes_are_cut() {
        let (bytes, first) = wire();
        for length in [1, 2, 7, 100, 2_999, 3_000, 16_384, bytes.len()] {
            let mut reader = Reader::new(1 << 20);
            let mut batches = Vec::new();
            for chunk in bytes.chunks(length) {
                let mut chunk = Bytes::copy_from_slice(chunk);
                while let Some(batch) = reader.read(&mut chunk).expect("sound") {
                    batches.push(batch);
                }
                assert!(chunk.is_empty());
            }
            let steps: Vec<_> = batches.iter().map(|batch| (batch.header.step, batch.payload().len())).collect();
            assert_eq!(steps, [(0, 10_048), (1, 0), (2, 10_048)], "cut every {length} bytes");
            assert_eq!(batches[0].payload(), first);
        }
    }

    #[test]
    fn a_message_that_is_none_ends_the_reading() {
        let (bytes, _) = wire();
        let mut reader = Reader::new(1 << 20);
        let mut chunk = Bytes::from([&[9][..], &bytes[1..]].concat());
        assert!(reader.read(&mut chunk).expect_err("no message").to_string().contains("flags 0x09"));
    }
}
