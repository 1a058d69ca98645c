use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

use tokio::net::{TcpListener, UnixListener};

/// Where a server listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// Host and port; port 0 is any free one.
    Tcp(String),
    /// A Unix socket.
    Unix(PathBuf),
}

/// A bound socket.
#[derive(Debug)]
pub enum Listener {
    /// TCP.
    Tcp(TcpListener),
    /// A Unix socket; its file goes when the server ends.
    Unix(UnixListener, PathBuf),
}

/// Why a server can't listen.
#[derive(Debug, thiserror::Error)]
#[error("can't listen on {endpoint}: {source}{hint}")]
pub struct ListenError {
    endpoint: Endpoint,
    source: std::io::Error,
    hint: &'static str,
}

impl FromStr for Endpoint {
    type Err = String;

    /// Reads `HOST:PORT` or `unix:PATH`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Some(path) = text.strip_prefix("unix:") {
            return if path.is_empty() { Err("unix: needs a path".into()) } else { Ok(Endpoint::Unix(path.into())) };
        }
        match text.rsplit_once(':') {
            Some((host, port)) if !host.is_empty() && port.parse::<u16>().is_ok() => Ok(Endpoint::Tcp(text.to_owned())),
            _ => Err(format!("{text:?} is no address, expected HOST:PORT or unix:PATH")),
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Endpoint::Tcp(address) => f.write_str(address),
            Endpoint::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

impl Listener {
    /// Binds `endpoint`.
    ///
    /// # Errors
    /// [`ListenError`], if it is in use, not of this machine, or forbidden.
    pub async fn bind(endpoint: &Endpoint) -> Result<Listener, ListenError> {
        let failed = |source: std::io::Error| {
            let hint = match source.kind() {
                std::io::ErrorKind::AddrInUse => {
                    "; another server has it: choose another port with --listen, or 0 for a free one"
                }
                std::io::ErrorKind::PermissionDenied => "; ports below 1024 need privileges",
                _ => "",
            };
            ListenError { endpoint: endpoint.clone(), source, hint }
        };
        match endpoint {
            Endpoint::Tcp(address) => TcpListener::bind(address).await.map(Listener::Tcp).map_err(failed),
            Endpoint::Unix(path) => {
                remove_dead_socket(path);
                UnixListener::bind(path).map(|listener| Listener::Unix(listener, path.clone())).map_err(failed)
            }
        }
    }

    /// Where it listens, with the port it got.
    pub fn endpoint(&self) -> Endpoint {
        match self {
            Listener::Tcp(listener) => {
                let address = listener.local_addr().unwrap_or_else(|_| SocketAddr::from(([0, 0, 0, 0], 0)));
                Endpoint::Tcp(address.to_string())
            }
            Listener::Unix(_, path) => Endpoint::Unix(path.clone()),
        }
    }
}

/// Removes the socket file of a server that was killed: one that nobody answers at.
fn remove_dead_socket(path: &PathBuf) {
    use std::os::unix::fs::FileTypeExt;
    let is_socket = std::fs::symlink_metadata(path).is_ok_and(|meta| meta.file_type().is_socket());
    if is_socket && std::os::unix::net::UnixStream::connect(path).is_err() {
        let _ = std::fs::remove_file(path);
    }
}
