use std::net::IpAddr;

use tonic::transport::Uri;

use crate::cli::Failure;

/// Refuses addresses that are not of this machine: a load test of somebody else's server must be meant.
///
/// # Errors
/// The first of `addresses` (with commas between) that is neither a loopback address, `localhost` nor a Unix socket.
pub(super) fn require_loopback(addresses: &str) -> Result<(), Failure> {
    match addresses.split(',').map(str::trim).find(|address| !is_loopback(address)) {
        None => Ok(()),
        Some(address) => Err(Failure::usage(format!(
            "{address:?} is not of this machine, expected 127.0.0.0/8, [::1], localhost or unix:PATH; \
             with --allow-remote any server is loaded: do so only with one that is yours"
        ))),
    }
}

fn is_loopback(address: &str) -> bool {
    if address.starts_with("unix:") {
        return true;
    }
    let url = if address.contains("://") { address.to_owned() } else { format!("http://{address}") };
    // What can't be read is no address at all, and the client says so better.
    let Ok(url) = url.parse::<Uri>() else { return true };
    let host = url.host().unwrap_or_default();
    let literal = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || literal.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_this_machine_pass() {
        for own in [
            "127.0.0.1:1",
            "127.9.9.9:1",
            "[::1]:1",
            "http://localhost:1",
            "LOCALHOST:1",
            "unix:/run/feedline.sock",
            "127.0.0.1:1, [::1]:2",
            "[::ffff:127.0.0.1]:1",
        ] {
            assert!(require_loopback(own).is_ok(), "{own}");
        }
        for other in [
            "10.0.0.1:1",
            "example.org:1",
            "0.0.0.0:1",
            "[::]:1",
            "localhost.example.org:1",
            "http://127.0.0.1@example.org:1",
            "127.0.0.1:1,192.168.0.1:1",
            "[2001:db8::1]:1",
        ] {
            let refused = require_loopback(other).expect_err(other);
            assert!(refused.code == 2 && refused.message.contains("--allow-remote"), "{refused}");
        }
    }
}
