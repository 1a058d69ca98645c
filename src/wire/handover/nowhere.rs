use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// Nobody can be reached: this system has no abstract sockets.
///
/// # Errors
/// Always.
pub fn reach(_name: &str) -> io::Result<OwnedFd> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Nothing is handed over.
///
/// # Errors
/// Always.
pub fn hand_over(_socket: impl AsFd, _key: &[u8], _file: BorrowedFd<'_>) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Nothing is taken over.
///
/// # Errors
/// Always.
pub fn take_over(_socket: impl AsFd, _key: &[u8]) -> io::Result<File> {
    Err(io::ErrorKind::Unsupported.into())
}
