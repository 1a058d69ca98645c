use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::time::Duration;

use feedline_proto::v1;
use tokio::io::Interest;
use tokio::net::{UnixListener, UnixStream};
use tokio::time::timeout;

use crate::tensor::View;
use crate::wire;

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
        let (listener, asked) = listening().ok()?;
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
    pub(super) fn give_back(&mut self) {
        let is_given = self.socket.as_ref().is_some_and(|socket| socket.try_write(&[0]).is_ok());
        if !is_given {
            // A closed one says the same, if there is still anybody to hear it.
            self.socket = None;
        }
    }
}

/// A socket of a new name, and the request that names it.
#[cfg(target_os = "linux")]
fn listening() -> io::Result<(UnixListener, v1::SharedMemory)> {
    use std::os::linux::net::SocketAddrExt;
    use std::os::unix::net::{SocketAddr, UnixListener as Std};

    use rustix::rand::{GetRandomFlags, getrandom};
    let mut random = [0; 2 * wire::KEY_BYTES];
    // So few bytes come all at once.
    getrandom(&mut random, GetRandomFlags::empty())?;
    let (name, key) = random.split_at(wire::KEY_BYTES);
    let name: String = name.iter().map(|byte| format!("{byte:02x}")).collect();
    let asked = v1::SharedMemory { socket: format!("{}{name}", wire::SOCKET_PREFIX), key: key.to_vec() };
    let listener = Std::bind_addr(&SocketAddr::from_abstract_name(&asked.socket)?)?;
    listener.set_nonblocking(true)?;
    Ok((UnixListener::from_std(listener)?, asked))
}

#[cfg(not(target_os = "linux"))]
fn listening() -> io::Result<(UnixListener, v1::SharedMemory)> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::io::Read;
    use std::os::unix::net::UnixStream as Std;

    use super::*;
    use crate::tensor::Aligned;

    /// What a server has: its end of the connection, and the key.
    fn server(of: &SharedMemory) -> (Std, Vec<u8>) {
        let v1::SharedMemory { socket, key } = of.asked();
        wire::check(&of.asked()).expect("sound");
        let socket = Std::from(wire::reach(&socket).expect("somebody listens"));
        socket.set_nonblocking(false).expect("a socket");
        (socket, key)
    }

    /// Hands `memory` over, and returns its first byte as the client sees it.
    async fn first_byte(ours: &mut SharedMemory, server: &mut (Std, Vec<u8>), memory: &Aligned) -> u8 {
        wire::hand_over(&server.0, &server.1, memory.file().expect("shared")).expect("taken");
        let mut first = [0];
        ours.take().await.expect("a file").copy(0, &mut first);
        ours.give_back();
        server.0.read_exact(&mut [0]).expect("given back");
        first[0]
    }

    #[tokio::test]
    async fn memory_that_comes_again_is_mapped_once_and_not_all_is_kept() {
        let mut ours = SharedMemory::offered().expect("Linux has it");
        let mut server = server(&ours);
        let mut memory = Aligned::shared(4096).expect("memory");
        for value in 1..5 {
            memory.bytes_mut()[0] = value;
            assert_eq!(first_byte(&mut ours, &mut server, &memory).await, value);
            assert_eq!(ours.views.len(), 1);
        }
        for _ in 0..2 * MOST_VIEWS {
            let other = Aligned::shared(4096).expect("memory");
            assert_eq!(first_byte(&mut ours, &mut server, &other).await, 0);
        }
        assert_eq!(ours.views.len(), MOST_VIEWS);
        assert_eq!(first_byte(&mut ours, &mut server, &memory).await, 4);
    }

    #[tokio::test]
    async fn what_another_one_hands_over_is_not_taken() {
        let mut ours = SharedMemory::offered().expect("Linux has it");
        let (socket, key) = server(&ours);
        let memory = Aligned::shared(4096).expect("memory");
        wire::hand_over(&socket, &vec![0; key.len()], memory.file().expect("shared")).expect("taken");
        assert!(ours.take().await.expect_err("another key").to_string().contains("another key"));
        drop(socket);
        assert_eq!(ours.take().await.expect_err("closed").kind(), io::ErrorKind::UnexpectedEof);
    }
}
