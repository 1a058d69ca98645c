//! Something between client and server that can stop to read.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use feedline_proto::v1::feedline_service_client::FeedlineServiceClient;
use tonic::transport::Endpoint;

use crate::raw::Raw;

/// One connection, forwarded until it is told to stop; ended when dropped.
pub(crate) struct Relay {
    pub(crate) address: String,
    stopped: Arc<AtomicBool>,
    sockets: Arc<Mutex<Vec<TcpStream>>>,
}

impl Relay {
    pub(crate) fn start(server: &str) -> Relay {
        let server: SocketAddr = server.parse().expect("an address");
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("bound").to_string();
        let (stopped, sockets) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(Vec::new())));
        let (stop, kept) = (Arc::clone(&stopped), Arc::clone(&sockets));
        std::thread::spawn(move || {
            let (client, _) = listener.accept().expect("the client");
            let server = TcpStream::connect(server).expect("the server");
            let copies = || Ok::<_, io::Error>((client.try_clone()?, server.try_clone()?));
            let (mut from_client, mut to_server) = copies().expect("handles");
            kept.lock().expect("no panic").extend(copies().map(|(a, b)| [a, b]).expect("handles"));
            std::thread::spawn(move || io::copy(&mut from_client, &mut to_server));
            down(&server, &client, &stop)
        });
        Relay { address, stopped, sockets }
    }

    /// From now on nothing that the server sends is read.
    pub(crate) fn stop_reading(&self) {
        self.stopped.store(true, Ordering::Release);
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        for socket in self.sockets.lock().expect("no panic").drain(..) {
            let _ = socket.shutdown(Shutdown::Both);
        }
    }
}

fn down(mut server: &TcpStream, mut client: &TcpStream, stop: &AtomicBool) -> io::Result<()> {
    let mut bytes = vec![0; 64 << 10];
    while !stop.load(Ordering::Acquire) {
        let read = server.read(&mut bytes)?;
        if read == 0 {
            break;
        }
        client.write_all(&bytes[..read])?;
    }
    Ok(())
}

/// A client whose HTTP/2 windows are as large as can be: only the sockets hold the server back.
pub(crate) async fn client_without_windows(address: &str) -> Raw {
    let most = (1 << 31) - 1;
    let endpoint = Endpoint::from_shared(format!("http://{address}")).expect("an address");
    let endpoint = endpoint.initial_stream_window_size(most).initial_connection_window_size(most);
    FeedlineServiceClient::new(endpoint.connect().await.expect("a server"))
}
