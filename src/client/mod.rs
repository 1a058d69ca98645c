mod assemble;
mod receive;
mod retry;
mod shared;
mod stream;
mod views;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use feedline_proto::CONTRACT_REVISION;
use feedline_proto::v1::{self, feedline_service_client::FeedlineServiceClient};
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Status};

pub use assemble::{Assembler, Batch, PartError};
pub use stream::BatchStream;
pub use views::mean_of_views;

use crate::fault::Fault;
use crate::server::{self, CHOSEN, PASSES};
use retry::Retry;

/// How a client behaves.
#[derive(Clone, Debug)]
pub struct Options {
    /// Its name in the server's log. Default: empty, its address.
    pub name: String,
    /// The training job, for the server to report two streams of one rank. Default: none.
    pub job: String,
    /// How long failures of the transport are retried, from the last time something arrived. Default 60 s; 0: never.
    pub retry_for: Duration,
    /// Whether batches of a server on this host come by memory that is shared with it, in place of the wire, where the system can do
    /// that: on Linux. Default true.
    pub shared_memory: bool,
}

impl Default for Options {
    fn default() -> Self {
        Options { name: String::new(), job: String::new(), retry_for: Duration::from_secs(60), shared_memory: true }
    }
}

/// Why a client failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// The address can't be read.
    #[error("{address:?} is no address, expected HOST:PORT, http://HOST:PORT or unix:PATH: {cause}")]
    Address {
        /// What was given.
        address: String,
        /// What is wrong with it.
        cause: String,
    },
    /// The server refused, for a reason that trying again does not change.
    #[error("the server refused with {code:?}: {message}")]
    Refused {
        /// Its code.
        code: Code,
        /// Its reason.
        message: String,
    },
    /// The transport failed for longer than `retry_for`.
    #[error("no answer from {address} for {} s: {cause}", .waited.as_secs())]
    Unreachable {
        /// The server.
        address: String,
        /// How long it was tried.
        waited: Duration,
        /// The last failure.
        cause: String,
    },
    /// What arrived breaks the contract, again and again.
    #[error("the server at {address} breaks the contract: {cause}")]
    Broken {
        /// The server.
        address: String,
        /// What is wrong.
        cause: String,
    },
}

impl ClientError {
    /// What the server refused for, if it is that.
    pub fn fault(&self) -> Option<Fault> {
        if let ClientError::Refused { code, .. } = self { server::fault(*code) } else { None }
    }
}

/// One request to say it all: what is in a batch, which rows of it, in what form.
#[derive(Clone, Debug, Default)]
pub struct Loader {
    /// What is in a batch.
    pub spec: v1::LoaderSpec,
    /// Which rows of it.
    pub placement: v1::Placement,
    /// In what form.
    pub delivery: v1::Delivery,
}

/// A client of a server, or of several that have the same datasets. Cheap to clone; connects when it is first used, and again
/// whenever the connection was lost, then to the next of them.
#[derive(Clone, Debug)]
pub struct Client {
    /// As given.
    address: String,
    replicas: Arc<[Endpoint]>,
    /// Counts failures; the replica in use is this one of them, modulo their number.
    current: Arc<AtomicUsize>,
    options: Options,
}

impl Client {
    /// A client of the server at `address`: `HOST:PORT`, `http://HOST:PORT` or `unix:PATH`; or of several, with commas between.
    ///
    /// # Errors
    /// [`ClientError::Address`]. Whether anybody is there shows with the first request.
    pub fn new(address: &str, options: Options) -> Result<Client, ClientError> {
        let replicas = address.split(',').map(|address| endpoint(address.trim())).collect::<Result<_, _>>()?;
        Ok(Client { address: address.to_owned(), replicas, current: Arc::default(), options })
    }

    /// What datasets there are.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn list_datasets(&self) -> Result<v1::ListDatasetsResponse, ClientError> {
        let request = v1::ListDatasetsRequest { contract_revision: CONTRACT_REVISION };
        self.retried(|mut service| async move { service.list_datasets(request).await }).await
    }

    /// A page of the samples of a split.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn list_samples(&self, request: v1::ListSamplesRequest) -> Result<v1::ListSamplesResponse, ClientError> {
        let request = v1::ListSamplesRequest { contract_revision: CONTRACT_REVISION, ..request };
        self.retried(|mut service| {
            let request = request.clone();
            async move { service.list_samples(request).await }
        })
        .await
    }

    /// What the server is doing: who wants rates asks twice and subtracts.
    ///
    /// # Errors
    /// [`ClientError`]; a server of an older release refuses.
    pub async fn status(&self) -> Result<v1::GetStatusResponse, ClientError> {
        let request = v1::GetStatusRequest { contract_revision: CONTRACT_REVISION };
        self.retried(|mut service| async move { service.get_status(request).await }).await
    }

    /// What `loader` would give; checks all of it.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with the server's reason.
    pub async fn describe(&self, loader: &Loader) -> Result<v1::DescribeResponse, ClientError> {
        Ok(self.describe_by(loader, LEAST_WINDOW).await?.0)
    }

    /// As [`Client::describe`], by a new connection with such a window, which is returned too.
    async fn describe_by(&self, loader: &Loader, window: u32) -> Result<(v1::DescribeResponse, Channel), ClientError> {
        let Loader { spec, placement, delivery } = loader.clone();
        let request = v1::DescribeRequest {
            contract_revision: CONTRACT_REVISION,
            spec: Some(spec),
            placement: Some(placement),
            delivery: Some(delivery),
        };
        self.retried_by(window, |mut service| {
            let request = request.clone();
            async move { service.describe(request).await }
        })
        .await
    }

    /// Batches of `loader`, from its start cursor on. Describes it first, so that what can't succeed fails here; from then on
    /// the stream insists on the dataset and spec that were described.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn stream(&self, loader: Loader) -> Result<BatchStream, ClientError> {
        let (description, channel) = self.describe_by(&loader, window(&loader.delivery)).await?;
        Ok(BatchStream::new(self.clone(), loader, description, channel))
    }

    /// A connection of its own: HTTP/2 shares one connection's window among its streams, so that one that stalls would stop
    /// its neighbours. `window` is what may be under way while this side is busy, in bytes.
    async fn channel(&self, window: u32) -> Result<Channel, Status> {
        let current = self.current.load(Relaxed) % self.replicas.len();
        let endpoint = self.replicas[current].clone();
        let endpoint = endpoint.initial_stream_window_size(window).initial_connection_window_size(window * 2);
        endpoint.connect().await.map_err(|error| Status::from_error(Box::new(error)))
    }

    async fn retried<R, F>(&self, call: impl Fn(FeedlineServiceClient<Channel>) -> F) -> Result<R, ClientError>
    where
        F: Future<Output = Result<tonic::Response<R>, Status>>,
    {
        Ok(self.retried_by(LEAST_WINDOW, call).await?.0)
    }

    /// The answer, and the connection by which it came.
    async fn retried_by<R, F>(
        &self,
        window: u32,
        call: impl Fn(FeedlineServiceClient<Channel>) -> F,
    ) -> Result<(R, Channel), ClientError>
    where
        F: Future<Output = Result<tonic::Response<R>, Status>>,
    {
        let mut retry = Retry::new(self.options.retry_for);
        loop {
            let result = match self.channel(window).await {
                Ok(channel) => {
                    let service = FeedlineServiceClient::new(channel.clone());
                    call(service.max_decoding_message_size(MOST_MESSAGE_BYTES)).await.map(|answer| (answer, channel))
                }
                Err(status) => Err(status),
            };
            match result {
                Ok((answer, channel)) => return Ok((answer.into_inner(), channel)),
                Err(status) => self.wait(&mut retry, &status).await?,
            }
        }
    }

    /// Waits before the next try, or says why there is none.
    async fn wait(&self, retry: &mut Retry, status: &Status) -> Result<(), ClientError> {
        if !is_worth_retrying(status) {
            return Err(ClientError::Refused { code: status.code(), message: status.message().to_owned() });
        }
        // Whoever shares this client goes on with the next one too.
        self.current.fetch_add(1, Relaxed);
        let cause = described(status);
        match retry.next() {
            Some(pause) => {
                tracing::debug!(address = self.address, cause, ?pause, "retrying");
                tokio::time::sleep(pause).await;
                Ok(())
            }
            // What the server itself says is worth more than that it was tried again and again.
            None if status.metadata().contains_key(CHOSEN) => {
                Err(ClientError::Refused { code: status.code(), message: status.message().to_owned() })
            }
            None => Err(ClientError::Unreachable { address: self.address.clone(), waited: retry.waited(), cause }),
        }
    }
}

/// Reads one address.
fn endpoint(address: &str) -> Result<Endpoint, ClientError> {
    let is_unix = address.starts_with("unix:");
    let url = if address.contains("://") || is_unix { address.to_owned() } else { format!("http://{address}") };
    let bad = |cause: String| ClientError::Address { address: address.to_owned(), cause };
    let endpoint = Endpoint::from_shared(url).map_err(|error| bad(error.to_string()))?;
    if !is_unix && endpoint.uri().port().is_none() {
        return Err(bad("the port is missing".into()));
    }
    Ok(endpoint
        .connect_timeout(Duration::from_secs(10))
        .http2_keep_alive_interval(Duration::from_secs(60))
        .keep_alive_timeout(Duration::from_secs(20))
        .max_frame_size(1 << 20)
        .tcp_nodelay(true))
}

/// HTTP/2 window of a stream. What has arrived there waits in this process' memory, so it is no more than the stream may have ahead at the
/// server, and no less than a network needs that is far and fast.
fn window(delivery: &v1::Delivery) -> u32 {
    delivery.prefetch_bytes.map_or(MOST_WINDOW, |bytes| bytes.clamp(LEAST_WINDOW.into(), MOST_WINDOW.into()) as u32)
}

const LEAST_WINDOW: u32 = 1 << 20;
const MOST_WINDOW: u32 = 4 << 20;
/// Largest message that is taken: the largest part that may be asked for, and its header.
const MOST_MESSAGE_BYTES: usize = 66 << 20;

/// Of the statuses that the server chose, those that it says may pass. Of the others those that the transport made, whatever
/// their code, and those of something between us that is full or away.
fn is_worth_retrying(status: &Status) -> bool {
    use std::error::Error;
    match status.metadata().get(CHOSEN) {
        Some(chosen) => chosen == PASSES,
        None => matches!(status.code(), Code::Unavailable | Code::ResourceExhausted) || status.source().is_some(),
    }
}

/// The message of a status and of what caused it.
fn described(status: &Status) -> String {
    use std::error::Error;
    let mut text = status.message().to_owned();
    let mut source = status.source();
    while let Some(error) = source {
        let message = error.to_string();
        if !text.contains(&message) {
            text = format!("{text}: {message}");
        }
        source = error.source();
    }
    text
}
