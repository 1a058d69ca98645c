use std::fs::File;
use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::cmsg_space;
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags, SocketAddrUnix, SocketFlags, SocketType, connect, recvmsg, sendmsg, socket_with,
};

use super::KEY_BYTES;

/// A connection, which never blocks, to the abstract Unix socket `name` of this host.
///
/// # Errors
/// If nobody listens there, or has no room for one more.
pub fn reach(name: &str) -> io::Result<OwnedFd> {
    let address = SocketAddrUnix::new_abstract_name(name.as_bytes())?;
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
    connect(&socket, &address)?;
    Ok(socket)
}

/// Sends `file`, and `key` with it.
///
/// # Errors
/// If the other end does not take it at once.
pub fn hand_over(socket: impl AsFd, key: &[u8], file: BorrowedFd<'_>) -> io::Result<()> {
    let mut space = [MaybeUninit::uninit(); cmsg_space!(ScmRights(1))];
    let mut files = SendAncillaryBuffer::new(&mut space);
    let files_sent = [file];
    if !files.push(SendAncillaryMessage::ScmRights(&files_sent)) {
        return Err(io::ErrorKind::OutOfMemory.into());
    }
    let sent = sendmsg(socket, &[IoSlice::new(key)], &mut files, SendFlags::NOSIGNAL | SendFlags::DONTWAIT)?;
    if sent == key.len() { Ok(()) } else { Err(io::ErrorKind::WriteZero.into()) }
}

/// Takes the file that [`hand_over`] has sent with `key`.
///
/// # Errors
/// `WouldBlock` if there is none yet; another if what came is no file or not with that key.
pub fn take_over(socket: impl AsFd, key: &[u8]) -> io::Result<File> {
    let mut space = [MaybeUninit::uninit(); cmsg_space!(ScmRights(1))];
    let mut files = RecvAncillaryBuffer::new(&mut space);
    let mut found = [0; KEY_BYTES];
    let flags = RecvFlags::CMSG_CLOEXEC | RecvFlags::DONTWAIT;
    let length = recvmsg(socket, &mut [IoSliceMut::new(&mut found)], &mut files, flags)?.bytes;
    let files = files.drain().filter_map(|message| match message {
        RecvAncillaryMessage::ScmRights(files) => Some(files),
        _ => None,
    });
    let file = files.flatten().next();
    match file {
        _ if length == 0 => Err(io::ErrorKind::UnexpectedEof.into()),
        Some(file) if found[..length] == *key => Ok(File::from(file)),
        Some(_) => Err(io::Error::other("a file with another key than the one asked for")),
        None => Err(io::Error::other("a message without a file")),
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::os::unix::net::UnixStream;

    use super::*;

    const KEY: &[u8] = &[3; KEY_BYTES];

    #[test]
    fn a_file_goes_from_one_end_to_the_other() {
        let (ours, theirs) = UnixStream::pair().expect("sockets");
        assert_eq!(take_over(&theirs, KEY).expect_err("nothing yet").kind(), io::ErrorKind::WouldBlock);
        let mut file = tempfile::tempfile().expect("a file");
        file.write_all(b"payload").expect("room");
        hand_over(&ours, KEY, file.as_fd()).expect("taken");
        let mut text = String::new();
        let mut taken = take_over(&theirs, KEY).expect("a file");
        std::io::Seek::rewind(&mut taken).expect("a file");
        taken.read_to_string(&mut text).expect("text");
        assert_eq!(text, "payload");
    }

    #[test]
    fn what_is_no_file_of_the_servers_is_not_taken() {
        let (mut ours, theirs) = UnixStream::pair().expect("sockets");
        let file = tempfile::tempfile().expect("a file");
        hand_over(&ours, &[4; KEY_BYTES], file.as_fd()).expect("taken");
        assert!(take_over(&theirs, KEY).expect_err("another key").to_string().contains("another key"));
        ours.write_all(KEY).expect("room");
        assert!(take_over(&theirs, KEY).expect_err("no file").to_string().contains("without a file"));
        drop(ours);
        assert_eq!(take_over(&theirs, KEY).expect_err("over").kind(), io::ErrorKind::UnexpectedEof);
    }
}
