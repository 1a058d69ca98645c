use std::os::fd::RawFd;
use std::time::Duration;

/// How long an open TCP socket has had bytes that its peer had not acknowledged, waiting or sent. None where the system does not count
/// that: anywhere but on Linux.
#[cfg(target_os = "linux")]
#[allow(unsafe_code)]
pub(super) fn busy(socket: RawFd) -> Option<Duration> {
    let mut info = [0_u8; BUSY_TIME + 8];
    let mut length = info.len() as libc::socklen_t;
    // SAFETY: the kernel writes at most `length` bytes at `info`, which has as many, and the length itself. A number that is no
    // socket is an error.
    let result = unsafe {
        libc::getsockopt(socket, libc::IPPROTO_TCP, libc::TCP_INFO, info.as_mut_ptr().cast(), &raw mut length)
    };
    // Kernels before 4.10 have less to say.
    let told = result == 0 && length as usize == info.len();
    let bytes = info[BUSY_TIME..].first_chunk()?;
    told.then(|| Duration::from_micros(u64::from_ne_bytes(*bytes)))
}

/// Where `tcpi_busy_time` stands in the kernel's `struct tcp_info`, in microseconds; what stands before it never moves.
#[cfg(target_os = "linux")]
const BUSY_TIME: usize = 168;

#[cfg(not(target_os = "linux"))]
pub(super) fn busy(_socket: RawFd) -> Option<Duration> {
    None
}
