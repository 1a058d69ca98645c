mod body;
mod connection;
mod flow;
mod kernel;
mod lender;
mod limits;
mod listener;
mod registry;
mod report;
mod service;
mod socket;
mod status;
mod stream;

use std::future::Future;
use std::io;
use std::time::{Duration, Instant};

use feedline_proto::v1::feedline_service_server::FeedlineServiceServer;
use tokio::task::JoinSet;
use tokio_stream::StreamExt;
use tokio_stream::wrappers::UnixListenerStream;
use tokio_util::sync::CancellationToken;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tracing::{info, warn};

pub use limits::{Limits, SEND_BUFFER};
pub use listener::{Endpoint, ListenError, Listener};
pub use status::{CHOSEN, PASSES, fault};

use crate::engine::Engine;
use connection::Connection;
use socket::Peer;

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

/// Serves `engine` on all `listeners` until `shutdown` is over. Then health says `NOT_SERVING`, new streams are refused, and
/// running ones end after their current batch; when the last one has, connections are closed. [`Limits::shutdown_grace`] ends
/// the wait.
///
/// # Errors
/// [`ServerError`], if the transport fails.
pub async fn run(
    listeners: Vec<Listener>,
    engine: Engine,
    limits: Limits,
    shutdown: impl Future<Output = ()>,
) -> Result<Ended, ServerError> {
    // The first token ends streams between batches, the second connections and listeners after that, the third whatever is
    // left at the deadline. Between the first two the server answers, so that health checks and new streams are told.
    let [stopping, closing, cutting] = std::array::from_fn(|_| CancellationToken::new());
    let (mut health, health_service) = tonic_health::server::health_reporter();
    health.set_serving::<FeedlineServiceServer<service::Service>>().await;
    let registry = registry::Registry::default();
    let started = Instant::now();
    let mut servers = JoinSet::new();
    let mut sockets = Vec::new();
    for listener in listeners {
        let (engine, stopping, registry) = (engine.clone(), stopping.clone(), registry.clone());
        let service = service::Service { engine, stopping, registry, started };
        let service = body::Front::new(service, limits.max_request_bytes);
        let reflection = || {
            tonic_reflection::server::Builder::configure()
                .register_encoded_file_descriptor_set(feedline_proto::FILE_DESCRIPTOR_SET)
                .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        };
        let router = Server::builder()
            .max_concurrent_streams(limits.max_streams_per_connection)
            .max_frame_size(MAX_FRAME)
            .http2_keepalive_interval(Some(limits.keepalive_interval))
            .http2_keepalive_timeout(Some(limits.keepalive_timeout))
            .add_service(health_service.clone())
            .add_service(reflection().build_v1()?)
            // What older tools ask for.
            .add_service(reflection().build_v1alpha()?)
            .add_service(service);
        let (closed, cut) = (closing.clone().cancelled_owned(), cutting.clone());
        match listener {
            Listener::Tcp(listener) => {
                let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
                let incoming = incoming.map(move |socket| {
                    let socket = socket?;
                    let peer = Peer::of(&socket);
                    Ok::<_, io::Error>(Connection::new(socket, peer, &cut))
                });
                servers.spawn(router.serve_with_incoming_shutdown(incoming, closed));
            }
            Listener::Unix(listener, path) => {
                sockets.push(path);
                let incoming = UnixListenerStream::new(listener);
                let incoming = incoming
                    .map(move |socket| Ok::<_, io::Error>(Connection::new(socket?, Peer::on_this_host(), &cut)));
                servers.spawn(router.serve_with_incoming_shutdown(incoming, closed));
            }
        }
    }
    let ended = tokio::select! {
        () = shutdown => {
            info!(grace_seconds = limits.shutdown_grace.as_secs_f64(), "stopping: no new streams, running ones end after their batch");
            health.set_not_serving::<FeedlineServiceServer<service::Service>>().await;
            health.set_service_status("", tonic_health::ServingStatus::NotServing).await;
            stopping.cancel();
            let drained = async {
                registry.idle().await;
                // Who watches the health is told no more; else the watch would keep its connection open for ever.
                health.clear_service_status("").await;
                health.clear_service_status(SERVICE).await;
                closing.cancel();
                all(&mut servers).await
            };
            match tokio::time::timeout(limits.shutdown_grace, drained).await {
                Ok(ended) => ended.map(|()| Ended::Drained),
                Err(_) => Ok(Ended::CutOff),
            }
        }
        failed = all(&mut servers) => failed.map(|()| Ended::Drained),
    };
    if let Ok(Ended::CutOff) = ended {
        warn!(streams = registry.streams(), "stopped at the deadline, some streams were cut off");
        cutting.cancel();
        closing.cancel();
        // Connections end by themselves now; the time is for the case that something of theirs hangs.
        let _ = tokio::time::timeout(Duration::from_secs(1), all(&mut servers)).await;
    }
    servers.abort_all();
    for socket in sockets {
        let _ = std::fs::remove_file(socket);
    }
    match &ended {
        Ok(Ended::CutOff) => {}
        Ok(Ended::Drained) => info!("stopped"),
        Err(error) => warn!(%error, "stopped"),
    }
    ended
}

/// Full name of the service.
const SERVICE: &str = <FeedlineServiceServer<service::Service> as tonic::server::NamedService>::NAME;
/// Largest HTTP/2 frame that is taken from clients; what is sent depends on theirs.
const MAX_FRAME: u32 = 1 << 20;

async fn all(servers: &mut JoinSet<Result<(), tonic::transport::Error>>) -> Result<(), ServerError> {
    while let Some(ended) = servers.join_next().await {
        ended.map_err(io::Error::other)??;
    }
    Ok(())
}
