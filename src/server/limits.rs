use std::time::Duration;

/// Limits of a server. Each has a safe default; what is beyond is refused with the limit in the message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Streams at the same time. Default 256.
    pub max_sessions: usize,
    /// Bytes that one batch of one rank may take, images waiting to be mixed included. Default 1 GiB.
    pub max_batch_bytes: u64,
    /// Pixels of one image; a larger one is listed, and a stream that needs it ends. Default 89,478,485, Pillow's.
    pub max_pixels: u64,
    /// Bytes of one request. Default 4 MiB, gRPC's, in which a list of a million samples has room.
    pub max_request_bytes: usize,
    /// Streams on one connection. Default 128.
    pub max_streams_per_connection: u32,
    /// How long a stopping server waits for streams to finish their current batch. Default 30 s.
    pub shutdown_grace: Duration,
    /// How often idle connections are asked whether they live. Default 60 s.
    pub keepalive_interval: Duration,
    /// How long a peer may take to answer that. Default 20 s.
    pub keepalive_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            max_sessions: 256,
            max_batch_bytes: 1 << 30,
            max_pixels: 89_478_485,
            max_request_bytes: 4 << 20,
            max_streams_per_connection: 128,
            shutdown_grace: Duration::from_secs(30),
            keepalive_interval: Duration::from_secs(60),
            keepalive_timeout: Duration::from_secs(20),
        }
    }
}

/// Bytes that hyper holds for one stream that has not left yet.
pub const SEND_BUFFER: u64 = 400 << 10;
