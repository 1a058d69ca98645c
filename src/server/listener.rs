use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

use tokio::net::{TcpListener, TcpSocket, UnixListener, UnixSocket, lookup_host};

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
            Endpoint::Tcp(address) => bind_tcp(address).await.map(Listener::Tcp).map_err(failed),
            Endpoint::Unix(path) => {
                remove_dead_socket(path);
                let bound = UnixSocket::new_stream().and_then(|socket| {
                    socket.bind(path)?;
                    socket.listen(BACKLOG)
                });
                bound.map(|listener| Listener::Unix(listener, path.clone())).map_err(failed)
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

/// Connections that may wait to be taken; the system may allow less. With the usual 128, some of a thousand trainers that start
/// together would not get through: the system drops what finds no place, and asks again after seconds.
const BACKLOG: u32 = 4096;

/// Binds the first address of a name that can be.
async fn bind_tcp(address: &str) -> std::io::Result<TcpListener> {
    let mut result = Err(std::io::Error::new(std::io::ErrorKind::AddrNotAvailable, "the name has no address"));
    for address in lookup_host(address).await? {
        result = bind_one(address);
        if result.is_ok() {
            break;
        }
    }
    result
}

fn bind_one(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // A server that starts again takes over from connections of the one before it that are still closing.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Removes the socket file of a server that was killed: one that nobody answers at.
fn remove_dead_socket(path: &PathBuf) {
    use std::os::unix::fs::FileTypeExt;
    let is_socket = std::fs::symlink_metadata(path).is_ok_and(|meta| meta.file_type().is_socket());
    if is_socket && std::os::unix::net::UnixStream::connect(path).is_err() {
        let _ = std::fs::remove_file(path);
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpStream;

    use super::*;

    #[tokio::test]
    async fn hundreds_of_clients_that_come_at_once_wait_in_line() {
        let listener = Listener::bind(&Endpoint::Tcp("127.0.0.1:0".into())).await.expect("a free port");
        let address = listener.endpoint().to_string();
        let most = std::fs::read_to_string("/proc/sys/net/core/somaxconn").ok();
        let most = most.and_then(|text| text.trim().parse().ok()).unwrap_or(128);
        // Nobody takes them: where the line is too short, connecting waits until it fails.
        let waiting = (0..most.min(300)).map(|_| TcpStream::connect(&address)).collect::<Result<Vec<_>, _>>();
        assert!(waiting.is_ok(), "{waiting:?}");
    }
}
