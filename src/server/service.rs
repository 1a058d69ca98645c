use std::time::Instant;

use feedline_proto::v1::{self, feedline_service_server::FeedlineService};
use feedline_proto::{CONTRACT_REVISION, rule};
use tokio_util::sync::CancellationToken;
use tonic::{Code, Request, Response, Status};
use tracing::{info, info_span};

use super::flow::Flow;
use super::lender::Lender;
use super::registry::Registry;
use super::socket::Peer;
use super::stream::PartStream;
use super::{report, status};
use crate::engine::{self, Engine, RequestError};
use crate::store::{Dataset, Split, State};
use crate::wire;

/// The handlers: validate, admit, hand over. All work is done by the engine.
pub(super) struct Service {
    pub(super) engine: Engine,
    pub(super) stopping: CancellationToken,
    pub(super) registry: Registry,
    /// When the server began to listen.
    pub(super) started: Instant,
}

#[tonic::async_trait]
impl FeedlineService for Service {
    async fn list_datasets(
        &self,
        request: Request<v1::ListDatasetsRequest>,
    ) -> Result<Response<v1::ListDatasetsResponse>, Status> {
        check_revision(request.get_ref().contract_revision)?;
        let mut datasets: Vec<_> = self.engine.datasets().iter().map(|dataset| described(dataset)).collect();
        datasets.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(Response::new(v1::ListDatasetsResponse {
            datasets,
            contract_revision: CONTRACT_REVISION,
            server_version: env!("CARGO_PKG_VERSION").into(),
        }))
    }

    async fn get_dataset(
        &self,
        request: Request<v1::GetDatasetRequest>,
    ) -> Result<Response<v1::GetDatasetResponse>, Status> {
        let v1::GetDatasetRequest { contract_revision, dataset } = request.into_inner();
        check_revision(contract_revision)?;
        let dataset = self.engine.dataset(&dataset).map_err(|error| status::of_request(&error))?;
        Ok(Response::new(v1::GetDatasetResponse { dataset: Some(described(dataset)) }))
    }

    async fn list_samples(
        &self,
        request: Request<v1::ListSamplesRequest>,
    ) -> Result<Response<v1::ListSamplesResponse>, Status> {
        let request = request.into_inner();
        check_revision(request.contract_revision)?;
        rule::check(&request).map_err(|found| status::of_request(&RequestError::violations("request", found)))?;
        let request = rule::with_defaults(&request);
        let dataset = self.engine.dataset(&request.dataset).map_err(|error| status::of_request(&error))?;
        let split = dataset.split(&request.split).ok_or_else(|| {
            let known = dataset.splits.iter().map(Split::name).collect::<Vec<_>>().join(", ");
            status::chosen(Code::NotFound, format!("no split {:?}, there is {known}", request.split))
        })?;
        let token = request.page_token.as_str();
        let start = if token.is_empty() { Ok(0) } else { token.parse::<u64>() };
        let start = start.map_err(|_| {
            let message = format!("page_token is {token:?}, expected the next_page_token of a page, or a sample index");
            status::chosen(Code::InvalidArgument, message)
        })?;
        let end = start.saturating_add(u64::from(request.page_size.unwrap_or(1000))).min(split.len());
        let samples = (start..end).map(|index| sample(split, index)).collect();
        let next_page_token = if end < split.len() { end.to_string() } else { String::new() };
        Ok(Response::new(v1::ListSamplesResponse { samples, next_page_token }))
    }

    async fn describe(&self, request: Request<v1::DescribeRequest>) -> Result<Response<v1::DescribeResponse>, Status> {
        let v1::DescribeRequest { contract_revision, spec, placement, delivery } = request.into_inner();
        check_revision(contract_revision)?;
        let request = self.resolve(spec, placement, delivery).await?;
        Ok(Response::new(request.describe()))
    }

    type StreamStream = PartStream;

    async fn stream(&self, request: Request<v1::StreamRequest>) -> Result<Response<PartStream>, Status> {
        if self.stopping.is_cancelled() {
            return Err(status::draining());
        }
        let Peer { address, is_here, socket } = request.extensions().get::<Peer>().cloned().unwrap_or_default();
        let address = address.map(|address| address.to_string());
        let v1::StreamRequest { contract_revision, spec, placement, delivery, client, shared_memory } =
            request.into_inner();
        check_revision(contract_revision)?;
        let unsound = |found| status::chosen(Code::InvalidArgument, found);
        shared_memory.as_ref().map_or(Ok(()), wire::check).map_err(unsound)?;
        let v1::ClientInfo { name, job } = client.unwrap_or_default();
        let rank = placement.map_or(0, |placement| placement.rank);
        let mut request = self.resolve(spec, placement, delivery).await?;
        let lender = shared_memory.filter(|_| is_here).and_then(Lender::reach);
        request.shared_memory = lender.is_some();
        let (start, rows) = (request.start, request.rows());
        let about = v1::StreamStatus {
            client: if name.is_empty() { address.clone().unwrap_or_else(|| LOCAL.to_owned()) } else { name },
            job,
            address: address.unwrap_or_default(),
            dataset: request.recipe.dataset.name.clone(),
            spec_fingerprint: request.recipe.fingerprint.clone(),
            rank,
            world_size: request.world_size,
            dtype: request.form.dtype.into(),
            repeat: request.repeat,
            batch_bytes: request.batch_bytes(),
            prefetch_bytes: request.prefetch_bytes,
            shared_memory: request.shared_memory,
            ..Default::default()
        };
        let session = self.engine.open(request).map_err(|error| status::of_request(&error))?;
        let about = v1::StreamStatus { id: session.id(), ..about };
        let v1::StreamStatus { client, job, dataset, rank, spec_fingerprint, .. } = &about;
        let span = info_span!("session", client, job, dataset, rank, spec = spec_fingerprint);
        let address = if about.address.is_empty() { LOCAL } else { &about.address };
        span.in_scope(|| info!(%start, rows, address, shared_memory = about.shared_memory, "stream started"));
        let entry = self.registry.enter(Flow::new(about, Some(socket)));
        Ok(Response::new(PartStream::new(session, lender, self.stopping.clone().cancelled_owned(), entry, span)))
    }

    async fn get_status(
        &self,
        request: Request<v1::GetStatusRequest>,
    ) -> Result<Response<v1::GetStatusResponse>, Status> {
        check_revision(request.get_ref().contract_revision)?;
        Ok(Response::new(report::of(&self.engine, &self.registry, self.started)))
    }
}

/// A client on a Unix socket, in logs.
const LOCAL: &str = "local";

impl Service {
    /// Resolves a request on a thread that may take its time: slices are counted out, pipelines built.
    async fn resolve(
        &self,
        spec: Option<v1::LoaderSpec>,
        placement: Option<v1::Placement>,
        delivery: Option<v1::Delivery>,
    ) -> Result<engine::Request, Status> {
        let engine = self.engine.clone();
        let (spec, placement) = (spec.unwrap_or_default(), placement.unwrap_or_default());
        let resolved =
            tokio::task::spawn_blocking(move || engine.resolve(&spec, &placement, &delivery.unwrap_or_default()));
        let resolved = resolved.await.map_err(|error| status::chosen(Code::Internal, error.to_string()))?;
        resolved.map_err(|error| status::of_request(&error))
    }
}

fn check_revision(revision: u32) -> Result<(), Status> {
    if revision > CONTRACT_REVISION {
        let message = format!(
            "contract_revision is {revision}, this server knows up to {CONTRACT_REVISION} and would not see newer fields; \
             use a newer server or an older client"
        );
        return Err(status::chosen(Code::Unimplemented, message));
    }
    Ok(())
}

fn described(dataset: &Dataset) -> v1::Dataset {
    let split = |split: &Split| v1::Split {
        name: split.name().to_owned(),
        samples: split.len(),
        bytes: split.bytes(),
        class_samples: split.class_counts().to_vec(),
        damaged: split.count(State::Damaged),
    };
    v1::Dataset {
        name: dataset.name.clone(),
        fingerprint: dataset.fingerprint.clone(),
        splits: dataset.splits.iter().map(split).collect(),
        classes: dataset.classes.clone(),
        targets: targets(dataset),
        box_classes: dataset.box_classes.clone(),
        keypoint_names: dataset.keypoint_names.clone(),
    }
}

/// What annotations there are, in any split.
fn targets(dataset: &Dataset) -> Vec<i32> {
    let any = |has: fn(&Split) -> bool| dataset.splits.iter().any(has);
    let known = [
        (v1::Target::Boxes, any(Split::has_boxes)),
        (v1::Target::Mask, any(|split| split.masks_per_sample() > 0)),
        (v1::Target::Keypoints, any(Split::has_keypoints)),
    ];
    known.into_iter().filter(|(_, has)| *has).map(|(target, _)| target.into()).collect()
}

fn sample(split: &Split, index: u64) -> v1::Sample {
    let size = split.size(index);
    let state = match split.state(index) {
        State::Unknown => v1::SampleState::Unspecified,
        State::Sound => v1::SampleState::Sound,
        State::Damaged => v1::SampleState::Damaged,
        State::TooLarge => v1::SampleState::TooLarge,
        State::Unreadable => v1::SampleState::Unreadable,
    };
    v1::Sample {
        index,
        key: split.key(index),
        label: split.label(index),
        bytes: split.encoded(index).len() as u64,
        width: size.map_or(0, |size| size.width),
        height: size.map_or(0, |size| size.height),
        state: state.into(),
        cause: split.cause(index).unwrap_or_default(),
    }
}
