//! A TCP proxy on the loopback that does to a connection what networks do: cuts it, lets it hang, flips a bit.
#![allow(unreachable_pub)] // As in `common`.

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

/// What happens to the bytes that a server sends on one connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    None,
    /// After so many bytes the connection ends.
    Cut(u64),
    /// After so many bytes nothing more comes, until the server ends the connection.
    Hold(u64),
    /// A byte of the first DATA frame of 16 KiB or more is changed: at this offset, or from the frame's end if it is negative.
    Flip(i64),
}

/// A proxy in front of one server. Each connection takes the next of the faults, one that ends too early for it
/// leaves it to the next; when they are used up, none.
pub struct Proxy {
    pub address: String,
    faults: Arc<Mutex<VecDeque<Fault>>>,
    /// Tells of each fault that came to pass.
    pub happened: Receiver<Fault>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Proxy {
    pub fn start(server: &str) -> Proxy {
        let server: SocketAddr = server.parse().expect("an address");
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("bound").to_string();
        let (faults, stop) = (Arc::new(Mutex::new(VecDeque::new())), Arc::new(AtomicBool::new(false)));
        let (tell, happened) = channel();
        let (queue, stopped) = (Arc::clone(&faults), Arc::clone(&stop));
        let thread = std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                if stopped.load(Ordering::Acquire) {
                    return;
                }
                let (queue, tell) = (Arc::clone(&queue), tell.clone());
                std::thread::spawn(move || {
                    // A server that is not there ends the connection, as its own host would.
                    let Ok(server) = TcpStream::connect(server) else { return };
                    let fault = queue.lock().expect("no panic under it").pop_front().unwrap_or(Fault::None);
                    let mut happened = false;
                    let tell = || {
                        happened = true;
                        let _ = tell.send(fault);
                    };
                    let _ = forward(client, server, fault, tell);
                    if !happened && fault != Fault::None {
                        queue.lock().expect("no panic under it").push_front(fault);
                    }
                });
            }
        });
        Proxy { address, faults, happened, stop, thread: Some(thread) }
    }

    /// Faults of the next connections.
    pub fn expect(&self, faults: impl IntoIterator<Item = Fault>) {
        self.faults.lock().expect("no panic under it").extend(faults);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        // Wakes the thread that accepts.
        let _ = TcpStream::connect(&self.address);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn forward(client: TcpStream, server: TcpStream, fault: Fault, tell: impl FnOnce()) -> io::Result<()> {
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (mut from_client, mut to_server) = (client.try_clone()?, server.try_clone()?);
    let up = std::thread::spawn(move || {
        let _ = io::copy(&mut from_client, &mut to_server);
        let _ = to_server.shutdown(Shutdown::Both);
    });
    let result = down(&server, &client, fault, tell);
    let _ = client.shutdown(Shutdown::Both);
    let _ = server.shutdown(Shutdown::Both);
    let _ = up.join();
    result
}

fn down(mut server: &TcpStream, mut client: &TcpStream, fault: Fault, tell: impl FnOnce()) -> io::Result<()> {
    match fault {
        Fault::None => drop(io::copy(&mut server, &mut client)?),
        Fault::Cut(bytes) => {
            if io::copy(&mut server.take(bytes), &mut client)? == bytes {
                tell();
            }
        }
        Fault::Hold(bytes) => {
            if io::copy(&mut server.take(bytes), &mut client)? == bytes {
                tell();
                io::copy(&mut server, &mut io::sink())?;
            }
        }
        Fault::Flip(at) => {
            flip(server, client, at)?;
            tell();
            io::copy(&mut server, &mut client)?;
        }
    }
    Ok(())
}

/// Forwards HTTP/2 frames up to the first large DATA frame, and that one changed.
fn flip(mut server: &TcpStream, mut client: &TcpStream, at: i64) -> io::Result<()> {
    loop {
        let mut head = [0; 9];
        server.read_exact(&mut head)?;
        let mut frame = vec![0; u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize];
        server.read_exact(&mut frame)?;
        let is_large_data = head[3] == 0 && frame.len() >= 16 << 10;
        if is_large_data {
            let at = if at < 0 { frame.len() as i64 + at } else { at } as usize;
            frame[at] ^= 0x41;
        }
        client.write_all(&head)?;
        client.write_all(&frame)?;
        if is_large_data {
            return Ok(());
        }
    }
}
