use std::time::Instant;

use feedline_proto::v1;

use super::flow::nanoseconds;
use super::registry::Registry;
use crate::engine::{Engine, Snapshot};
use crate::store::{Dataset, Memory};

/// What a server that began at `started` is doing.
pub(super) fn of(engine: &Engine, registry: &Registry, started: Instant) -> v1::GetStatusResponse {
    let (options, datasets) = (engine.options(), engine.datasets());
    let memory: Memory = datasets.iter().map(|dataset| dataset.memory()).sum();
    let bytes = |of: fn(&Dataset) -> u64| datasets.iter().fold(0_u64, |sum, dataset| sum.saturating_add(of(dataset)));
    // Streams before sessions: one that begins in between is not in the first list, one that ends has no standing.
    let (flows, standings) = (registry.flows(), engine.standings());
    let streams = flows.iter().map(|(id, flow)| flow.status(standings.get(id).copied().unwrap_or_default())).collect();
    let Snapshot {
        work_ns,
        decode_ns,
        augment_ns,
        collate_ns,
        batches,
        shared,
        rows,
        decodes,
        decoded_hits,
        batch_bytes,
        ..
    } = engine.statistics();
    v1::GetStatusResponse {
        uptime_ns: nanoseconds(started.elapsed()),
        threads: options.threads.max(1) as u32,
        processors: std::thread::available_parallelism().map_or(1, |all| all.get() as u32),
        cpu_ns: processor_time(),
        work_ns,
        decode_ns,
        augment_ns,
        collate_ns,
        batches,
        shared,
        rows,
        decodes,
        decoded_hits,
        dataset_bytes: memory.encoded + memory.index,
        decoded_bytes: bytes(Dataset::decoded_bytes),
        decoded_budget_bytes: memory.decoded_budget,
        all_decoded_bytes: bytes(Dataset::all_decoded_bytes),
        batch_bytes,
        batch_budget_bytes: options.batch_budget,
        streams,
        server_version: env!("CARGO_PKG_VERSION").into(),
    }
}

/// Nanoseconds of processor time of this process, where the system tells.
fn processor_time() -> Option<u64> {
    ticks(&std::fs::read_to_string("/proc/self/stat").ok()?)?.checked_mul(TICK)
}

/// Ticks in user and in kernel mode, of a line of `/proc/self/stat`. The name of the program may hold spaces and parentheses.
fn ticks(stat: &str) -> Option<u64> {
    let (_, fields) = stat.rsplit_once(") ")?;
    let mut fields = fields.split(' ').skip(11);
    let (user, kernel): (u64, u64) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
    user.checked_add(kernel)
}

/// What Linux counts in towards programs, whatever its own clock does: 100 a second.
const TICK: u64 = 10_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_found_behind_any_name() {
        let stat = "42 (feed) line 7) S 1 42 42 0 -1 4194560 901 0 3 0 1250 35 0 0 20 0 9 0 123 4 5\n";
        assert_eq!(ticks(stat), Some(1285));
        assert_eq!(ticks("42 (feedline) S 1 2"), None);
        assert_eq!(ticks(""), None);
    }
}
