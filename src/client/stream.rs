use feedline_proto::CONTRACT_REVISION;
use feedline_proto::v1;
use tonic::Status;
use tonic::transport::Channel;

use super::assemble::Batch;
use super::receive::{Receiver, Trouble};
use super::retry::Retry;
use super::shared::SharedMemory;
use super::{Client, ClientError, Loader, window};

/// Batches in plan order. A lost connection, a restarted server and a damaged message cost time, never a batch: the stream goes
/// on with the next one.
#[derive(Debug)]
pub struct BatchStream {
    client: Client,
    loader: Loader,
    description: v1::DescribeResponse,
    /// What to ask for next.
    next: v1::Cursor,
    /// Batches that are still to come; none: without end.
    left: Option<u64>,
    /// What it was described by, and is not used yet.
    channel: Option<Channel>,
    receiver: Option<Receiver>,
    retry: Retry,
    /// Messages in a row that broke the contract.
    broken: u32,
    reconnects: u64,
}

impl BatchStream {
    /// Of what `description` says, which came by `channel`: a connection that nobody else uses.
    pub(super) fn new(
        client: Client,
        loader: Loader,
        description: v1::DescribeResponse,
        channel: Channel,
    ) -> BatchStream {
        let start = loader.delivery.start.clone().unwrap_or_default();
        let dataset_fingerprint = description.spec.as_ref().map(|spec| spec.dataset_fingerprint.clone());
        let next = v1::Cursor {
            dataset_fingerprint: dataset_fingerprint.unwrap_or_default(),
            spec_fingerprint: description.spec_fingerprint.clone(),
            ..start
        };
        let (left, retry) = (loader.delivery.count, Retry::new(client.options.retry_for));
        BatchStream {
            client,
            loader,
            description,
            next,
            left,
            channel: Some(channel),
            receiver: None,
            retry,
            broken: 0,
            reconnects: 0,
        }
    }

    /// What the server said of the stream.
    pub fn description(&self) -> &v1::DescribeResponse {
        &self.description
    }

    /// Where a client goes on that has every batch up to now: what to save in a checkpoint.
    pub fn cursor(&self) -> &v1::Cursor {
        &self.next
    }

    /// How often the stream was begun again.
    pub fn reconnects(&self) -> u64 {
        self.reconnects
    }

    /// The next batch; none after `count` of them.
    ///
    /// # Errors
    /// [`ClientError`], when the server refuses, or nothing has arrived for `retry_for`. The stream can be asked again.
    pub async fn next(&mut self) -> Result<Option<Batch>, ClientError> {
        if self.left == Some(0) {
            return Ok(None);
        }
        // Patience begins when something is wanted: how long the trainer paused before is no failure of the server's.
        self.retry.reset();
        loop {
            match self.try_next().await {
                Ok(batch) => return Ok(Some(batch)),
                Err(Trouble::Status(status)) => {
                    self.receiver = None;
                    self.client.wait(&mut self.retry, &status).await?;
                    self.reconnects += 1;
                }
                Err(Trouble::Broken(cause)) => {
                    self.receiver = None;
                    self.broken += 1;
                    if self.broken >= MOST_BROKEN {
                        return Err(ClientError::Broken { address: self.client.address.clone(), cause });
                    }
                    tracing::warn!(cause, "a damaged message, asking again");
                    self.reconnects += 1;
                }
            }
        }
    }

    async fn try_next(&mut self) -> Result<Batch, Trouble> {
        if self.receiver.is_none() {
            self.receiver = Some(self.begin().await?);
        }
        let Some(receiver) = &mut self.receiver else { return Err(Trouble::Broken("no stream".into())) };
        loop {
            let batch = receiver.next().await?;
            self.retry.reset();
            let Some(batch) = batch else { continue };
            let (found, expected) = ((batch.header.epoch, batch.header.step), (self.next.epoch, self.next.step));
            if self.is_other(found) {
                let cause = format!("batch {}:{} came, expected {}:{}", found.0, found.1, expected.0, expected.1);
                return Err(Trouble::Broken(cause));
            }
            self.broken = 0;
            self.left = self.left.map(|left| left - 1);
            match &batch.header.next {
                _ if self.loader.delivery.repeat => {}
                Some(next) => self.next = next.clone(),
                None => self.left = Some(0),
            }
            return Ok(batch);
        }
    }

    /// Whether a batch is not the one asked for; the end of an epoch is the start of the next one.
    fn is_other(&self, (epoch, step): (u32, u64)) -> bool {
        let steps = self.description.steps_per_epoch;
        let at_end = self.next.step == steps && self.next.epoch.checked_add(1) == Some(epoch) && step == 0;
        (epoch, step) != (self.next.epoch, self.next.step) && !at_end
    }

    async fn begin(&mut self) -> Result<Receiver, Status> {
        let Loader { spec, placement, delivery } = self.loader.clone();
        let delivery = v1::Delivery { start: Some(self.next.clone()), count: self.left, ..delivery };
        let (options, window) = (&self.client.options, window(&delivery));
        // What broke the contract once may have been that memory.
        let is_wanted = options.shared_memory && self.broken == 0;
        let shared_memory = if is_wanted { SharedMemory::offered() } else { None };
        let request = v1::StreamRequest {
            contract_revision: CONTRACT_REVISION,
            spec: Some(spec),
            placement: Some(placement),
            delivery: Some(delivery),
            client: Some(v1::ClientInfo { name: options.name.clone(), job: options.job.clone() }),
            shared_memory: shared_memory.as_ref().map(SharedMemory::asked),
        };
        let channel = match self.channel.take() {
            Some(channel) => channel,
            None => self.client.channel(window).await?,
        };
        Receiver::open(channel, &request, self.description.payload_bytes, shared_memory).await
    }
}

/// Messages in a row that may break the contract before it is not chance any more.
const MOST_BROKEN: u32 = 5;
