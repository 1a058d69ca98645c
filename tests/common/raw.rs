//! A client as any language has it, straight from the contract: no retry, no checks but those a test makes.
#![allow(dead_code, unreachable_pub)] // Every test file uses another part of it.

use feedline_proto::tensor::{check_crc, check_header, check_payload};
use feedline_proto::v1::{self, feedline_service_client::FeedlineServiceClient};
use prost::Message;
use tonic::transport::{Channel, Endpoint};
use tonic::{Status, Streaming};

pub type Raw = FeedlineServiceClient<Channel>;

/// A connection of its own. Its HTTP/2 windows are the protocol's 64 KiB, so that little is under way unread.
pub async fn channel(address: &str) -> Channel {
    let url = if address.starts_with("unix:") { address.to_owned() } else { format!("http://{address}") };
    let endpoint = Endpoint::from_shared(url).expect("an address");
    let endpoint = endpoint.initial_stream_window_size(65_535).initial_connection_window_size(65_535);
    endpoint.connect().await.expect("a server")
}

/// A stock client, with gRPC's limit of 4 MiB for a message.
pub async fn raw(address: &str) -> Raw {
    FeedlineServiceClient::new(channel(address).await)
}

/// The request for a stream.
pub fn request(spec: v1::LoaderSpec, placement: v1::Placement, delivery: v1::Delivery) -> v1::StreamRequest {
    v1::StreamRequest {
        contract_revision: feedline_proto::CONTRACT_REVISION,
        spec: Some(spec),
        placement: Some(placement),
        delivery: Some(delivery),
        client: None,
        shared_memory: None,
    }
}

/// The same request, asked of `Describe`.
pub fn describe(request: &v1::StreamRequest) -> v1::DescribeRequest {
    let v1::StreamRequest { contract_revision, spec, placement, delivery, .. } = request.clone();
    v1::DescribeRequest { contract_revision, spec, placement, delivery }
}

/// A batch put together from its parts, every promise about parts checked on the way.
pub struct Whole {
    pub header: v1::BatchHeader,
    pub payload: Vec<u8>,
    pub parts: usize,
}

impl Whole {
    /// Shape and bytes of a tensor.
    pub fn tensor(&self, name: &str) -> (&[u64], &[u8]) {
        let tensor = self.header.tensors.iter().find(|tensor| tensor.name == name).expect("there");
        (&tensor.shape, &self.payload[tensor.offset as usize..][..tensor.bytes as usize])
    }
}

/// The next batch; `Ok(None)` at the end of the stream. A stream that ends within a batch fails the test.
pub async fn next(stream: &mut Streaming<v1::BatchPart>, part_bytes: usize) -> Result<Option<Whole>, Status> {
    let Some(first) = stream.message().await? else { return Ok(None) };
    rest(first, stream, part_bytes).await.map(Some)
}

/// The batch that begins with `first`.
pub async fn rest(
    first: v1::BatchPart,
    stream: &mut Streaming<v1::BatchPart>,
    part_bytes: usize,
) -> Result<Whole, Status> {
    assert!(!first.header.is_empty(), "the header comes in the first part");
    check_crc("header", &first.header, first.header_crc32c.expect("beside the header")).expect("the header's checksum");
    assert!(first.timings.is_some(), "timings come beside the header");
    let header = v1::BatchHeader::decode(first.header.clone()).expect("a header");
    check_header(&header).expect("tensors in their places");
    let mut whole = Whole { header, payload: Vec::new(), parts: 0 };
    let mut part = first;
    loop {
        assert_eq!(part.offset, whole.payload.len() as u64, "parts come in order");
        assert!(part.data.len() <= part_bytes, "a part of {} bytes, asked for {part_bytes}", part.data.len());
        whole.payload.extend_from_slice(&part.data);
        whole.parts += 1;
        if whole.payload.len() as u64 >= whole.header.payload_bytes {
            break;
        }
        part = stream.message().await.expect("no failure within a batch").expect("no end within a batch");
        assert!(part.header.is_empty() && part.header_crc32c.is_none() && part.timings.is_none());
    }
    check_payload(&whole.header, &whole.payload).expect("length and checksum of the payload");
    Ok(whole)
}
