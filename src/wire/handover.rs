#[cfg(target_os = "linux")]
mod linux;
#[cfg(not(target_os = "linux"))]
mod nowhere;

use feedline_proto::v1;

#[cfg(target_os = "linux")]
pub use linux::{hand_over, reach, take_over};
#[cfg(not(target_os = "linux"))]
pub use nowhere::{hand_over, reach, take_over};

/// What the name of every client's socket begins with, so that a server never speaks to another program's.
pub const SOCKET_PREFIX: &str = "feedline-";
/// Length of [`v1::SharedMemory::key`](feedline_proto::v1::SharedMemory).
pub const KEY_BYTES: usize = 16;
/// Most characters of a name behind the prefix.
const MOST_NAME: usize = 64;

/// Says what is wrong with a request for shared memory.
///
/// # Errors
/// That.
pub fn check(asked: &v1::SharedMemory) -> Result<(), String> {
    let v1::SharedMemory { socket, key } = asked;
    let name = socket.strip_prefix(SOCKET_PREFIX).unwrap_or_default();
    let is_sound = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if !is_sound || !(1..=MOST_NAME).contains(&name.len()) {
        return Err(format!(
            "shared_memory.socket is {socket:?}, expected {SOCKET_PREFIX} and 1 to {MOST_NAME} letters, digits and hyphens"
        ));
    }
    if key.len() != KEY_BYTES {
        return Err(format!("shared_memory.key has {} bytes, expected {KEY_BYTES}", key.len()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &[u8] = &[3; KEY_BYTES];

    #[test]
    fn a_request_says_what_is_wrong_with_it() {
        let wrong = |socket: &str, key: &[u8]| {
            check(&v1::SharedMemory { socket: socket.into(), key: key.to_vec() }).expect_err("wrong")
        };
        assert_eq!(check(&v1::SharedMemory { socket: "feedline-a-9".into(), key: KEY.to_vec() }), Ok(()));
        for name in ["", "other", "feedline-", "feedline-a/b", &format!("feedline-{}", "a".repeat(65))] {
            assert!(wrong(name, KEY).contains("shared_memory.socket"), "{name}");
        }
        assert!(wrong("feedline-a", &[1; 15]).contains("has 15 bytes, expected 16"));
    }
}
