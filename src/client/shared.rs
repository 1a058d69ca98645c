use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::time::Duration;

use feedline_proto::v1;
use tokio::io::Interest;
use tokio::net::{UnixListener, UnixStream};
use tokio::time::timeout;

use crate::tensor::View;
use crate::wire::{self, KEY_BYTES, SOCKET_PREFIX};

/// Where a server on this host hands over the files of batches.
#[derive(Debug)]
pub(super) struct SharedMemory {
    listener: UnixListener,
    asked: v1::SharedMemory,
    /// The server's connection, once it has been needed.
    socket: Option<UnixStream>,
    /// What has been mapped, the last one used last: the server's memory comes again and again, and mapping it anew takes longer than
    /// copying it.
    views: Vec<(Identity, View)>,
}

/// Device and number of a file.
type Identity = (u64, u64);

/// Most maps that are kept: more than a server usually has buffers for one stream. One that the server does not use any more takes no
/// memory.
const MOST_VIEWS: usize = 64;

/// How long a file may take that is on its way by a socket of this host.
const PATIENCE: Duration = Duration::from_secs(10);

impl SharedMemory {
    /// A socket that nobody knows of yet. None where the system has none of its kind.
    pub(super) fn offered() -> Option<SharedMemory> {
        let mut random = [0; 2 * KEY_BYTES];
        let drawn = rustix::rand::getrandom(&mut random, rustix::rand::GetRandomFlags::empty());
        drawn.ok().filter(|drawn| *drawn == random.len())?;
        let (name, key) = random.split_at(KEY_BYTES);
        let name: String = name.iter().map(|byte| format!("{byte:02x}")).collect();
        let asked = v1::SharedMemory { socket: format!("{SOCKET_PREFIX}{name}"), key: key.to_vec() };
        let listener = listening(&asked.socket).ok()?;
        Some(SharedMemory { listener, asked, socket: None, views: Vec::new() })
    }

    /// What a stream asks for with it.
    pub(super) fn asked(&self) -> v1::SharedMemory {
        self.asked.clone()
    }

    /// The memory of the batch that the server has announced. Can be dropped and asked again.
    pub(super) async fn take(&mut self) -> io::Result<&View> {
        let file = timeout(PATIENCE, self.taken()).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))?;
        let about = file.metadata()?;
        let identity = (about.dev(), about.ino());
        let view = match self.views.iter().position(|(known, _)| *known == identity) {
            Some(at) => self.views.remove(at),
            None => (identity, View::of(&file)?),
        };
        if self.views.len() == MOST_VIEWS {
            self.views.remove(0);
        }
        self.views.push(view);
        Ok(&self.views[self.views.len() - 1].1)
    }

    async fn taken(&mut self) -> io::Result<File> {
        let socket = match &mut self.socket {
            Some(socket) => socket,
            none => none.insert(self.listener.accept().await?.0),
        };
        socket.async_io(Interest::READABLE, || wire::take_over(&*socket, &self.asked.key)).await
    }

    /// Says that what was taken is not needed any more.
    pub(super) fn give_back(&self) -> io::Result<()> {
        let given = self.socket.as_ref().map_or(Ok(1), |socket| socket.try_write(&[0]))?;
        if given == 1 { Ok(()) } else { Err(io::ErrorKind::WriteZero.into()) }
    }
}

#[cfg(target_os = "linux")]
fn listening(name: &str) -> io::Result<UnixListener> {
    use std::os::linux::net::SocketAddrExt;
    let address = std::os::unix::net::SocketAddr::from_abstract_name(name)?;
    let listener = std::os::unix::net::UnixListener::bind_addr(&address)?;
    listener.set_nonblocking(true)?;
    UnixListener::from_std(listener)
}

#[cfg(not(target_os = "linux"))]
fn listening(_name: &str) -> io::Result<UnixListener> {
    Err(io::ErrorKind::Unsupported.into())
}
