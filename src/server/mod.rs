mod limits;
mod listener;
mod registry;
mod service;
mod status;
mod stream;

use std::future::Future;
use std::io;

use feedline_proto::v1::feedline_service_server::FeedlineServiceServer;
use tokio::task::JoinSet;
use tokio_stream::wrappers::UnixListenerStream;
use tokio_util::sync::CancellationToken;
use tonic::transport::Server;
use tracing::{info, warn};

pub use limits::{Limits, SEND_BUFFER, SOCKET_BUFFER};
pub use listener::{Endpoint, ListenError, Listener};
pub use status::CHOSEN;

use crate::engine::Engine;

/// How a server ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Every stream finished its batch.
    Drained,
    /// The deadline came first; streams that were still sending were cut off.
    CutOff,
}

/// Why a server failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServerError {
    /// The transport failed.
    #[error("the server failed: {0}")]
    Transport(#[from] tonic::transport::Error),
    /// The reflection service can't be built: a bug.
    #[error("reflection: {0}")]
    Reflection(#[from] tonic_reflection::server::Error),
    /// A socket can't be prepared.
    #[error("socket: {0}")]
    Socket(#[from] io::Error),
}

/// Serves `engine` on all `listeners` until `shutdown` is over. Then health says `NOT_SERVING`, new streams are refused,
/// running ones end after their current batch, and [`Limits::shutdown_grace`] ends the wait.
///
/// # Errors
/// [`ServerError`], if the transport fails.
pub async fn run(
    listeners: Vec<Listener>,
    engine: Engine,
    limits: Limits,
    shutdown: impl Future<Output = ()>,
) -> Result<Ended, ServerError> {
    // Two tokens: the first ends streams between batches, the second the connections after that.
    let (stopping, closing) = (CancellationToken::new(), CancellationToken::new());
    let (health, health_service) = tonic_health::server::health_reporter();
    health.set_serving::<FeedlineServiceServer<service::Service>>().await;
    let registry = registry::Registry::default();
    let mut servers = JoinSet::new();
    let mut sockets = Vec::new();
    for listener in listeners {
        let service =
            service::Service { engine: engine.clone(), stopping: stopping.clone(), registry: registry.clone() };
        let service = FeedlineServiceServer::new(service).max_decoding_message_size(limits.max_request_bytes);
        let reflection = tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(feedline_proto::FILE_DESCRIPTOR_SET)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET);
        let router = Server::builder()
            .max_concurrent_streams(limits.max_streams_per_connection)
            .max_frame_size(MAX_FRAME)
            .http2_keepalive_interval(Some(limits.keepalive_interval))
            .http2_keepalive_timeout(Some(limits.keepalive_timeout))
            .add_service(health_service.clone())
            .add_service(reflection.build_v1()?)
            .add_service(service);
        let closed = closing.clone().cancelled_owned();
        match listener {
            Listener::Tcp(listener) => {
                let incoming = tonic::transport::server::TcpIncoming::from(listener).with_nodelay(Some(true));
                servers.spawn(router.serve_with_incoming_shutdown(incoming, closed));
            }
            Listener::Unix(listener, path) => {
                sockets.push(path);
                servers.spawn(router.serve_with_incoming_shutdown(UnixListenerStream::new(listener), closed));
            }
        }
    }
    let ended = tokio::select! {
        () = shutdown => {
            info!(grace_seconds = limits.shutdown_grace.as_secs_f64(), "stopping: no new streams, running ones end after their batch");
            health.set_not_serving::<FeedlineServiceServer<service::Service>>().await;
            health.set_service_status("", tonic_health::ServingStatus::NotServing).await;
            stopping.cancel();
            closing.cancel();
            match tokio::time::timeout(limits.shutdown_grace, all(&mut servers)).await {
                Ok(ended) => ended.map(|()| Ended::Drained),
                Err(_) => Ok(Ended::CutOff),
            }
        }
        failed = all(&mut servers) => failed.map(|()| Ended::Drained),
    };
    servers.abort_all();
    for socket in sockets {
        let _ = std::fs::remove_file(socket);
    }
    match &ended {
        Ok(Ended::CutOff) => warn!("stopped at the deadline, some streams were cut off"),
        Ok(Ended::Drained) => info!("stopped"),
        Err(error) => warn!(%error, "stopped"),
    }
    ended
}

/// Largest HTTP/2 frame that is taken from clients; what is sent depends on theirs.
const MAX_FRAME: u32 = 1 << 20;

async fn all(servers: &mut JoinSet<Result<(), tonic::transport::Error>>) -> Result<(), ServerError> {
    while let Some(ended) = servers.join_next().await {
        ended.map_err(io::Error::other)??;
    }
    Ok(())
}
