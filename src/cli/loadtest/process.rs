use std::time::Duration;

use crate::cli::Failure;

/// A process of this machine, whose use of processor and memory is looked at from outside. Linux only: it is read from `/proc`.
#[derive(Debug)]
pub(super) struct Process {
    id: u32,
    /// When it was started, in the system's own ticks: tells it from a later process with the same id.
    started: u64,
}

/// What a process has used up to now.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Usage {
    /// Time of processors, in user code and in the kernel.
    pub(super) cpu: Duration,
    /// Memory that it has, in bytes.
    pub(super) memory: u64,
    /// The most memory that it has had, in bytes.
    pub(super) peak_memory: u64,
}

impl Process {
    /// Looks at the process of an id.
    ///
    /// # Errors
    /// If there is none, or the system does not tell.
    pub(super) fn open(id: u32) -> Result<Process, Failure> {
        let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).map_err(|error| {
            Failure::usage(format!("--server-pid {id}: can't read its figures (they come from Linux's /proc): {error}"))
        })?;
        let (_, started) = times(&stat).ok_or_else(|| {
            Failure::usage(format!("--server-pid {id}: its /proc/{id}/stat is not as Linux writes it: {stat:?}"))
        })?;
        Ok(Process { id, started })
    }

    /// What it has used; none when it is gone.
    pub(super) fn usage(&self) -> Option<Usage> {
        let file = |name: &str| std::fs::read_to_string(format!("/proc/{}/{name}", self.id)).ok();
        let (ticks, started) = times(&file("stat")?)?;
        if started != self.started {
            return None;
        }
        let status = file("status")?;
        // A process that has ended but is not yet waited for has no memory.
        let (memory, peak_memory) = (kibibytes(&status, "VmRSS:")?, kibibytes(&status, "VmHWM:")?);
        let cpu = Duration::from_secs_f64(ticks as f64 / rustix::param::clock_ticks_per_second() as f64);
        Some(Usage { cpu, memory, peak_memory })
    }
}

/// Processor time and start of a process, in ticks, from its `stat`. Fields are counted behind the program's name, which stands in
/// parentheses and may hold anything.
fn times(stat: &str) -> Option<(u64, u64)> {
    let fields: Vec<&str> = stat.get(stat.rfind(')')? + 1..)?.split_whitespace().collect();
    let field = |at: usize| fields.get(at)?.parse::<u64>().ok();
    Some((field(11)? + field(12)?, field(19)?))
}

/// A line of `status`, in bytes.
fn kibibytes(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kibibytes| kibibytes * 1024)
}

/// Makes sure that the connections of `clients` can be open at the same time: raises the limit of this process as far as the system lets it.
///
/// # Errors
/// If that is not far enough, with what to do.
pub(super) fn allow_open_files(clients: u32, shared_memory: bool) -> Result<(), Failure> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    // Beside its connection each has a socket for shared memory, and what the server connects to that.
    let files = if shared_memory { 3 } else { 1 };
    let needed = u64::from(clients) * files + SPARE_FILES;
    let limit = getrlimit(Resource::Nofile);
    let is_enough = |limit: Option<u64>| limit.is_none_or(|limit| limit >= needed);
    if is_enough(limit.current) {
        return Ok(());
    }
    // Where the hard limit is none, more than is needed may still be more than the kernel gives.
    let current = Some(limit.maximum.unwrap_or(needed));
    let raised = setrlimit(Resource::Nofile, Rlimit { current, maximum: limit.maximum });
    if raised.is_ok() && is_enough(current) {
        return Ok(());
    }
    let most = limit.maximum.unwrap_or(needed);
    Err(Failure::new(format!(
        "{clients} clients need {needed} open files, this process may have {most}: raise the hard limit (`ulimit -Hn {needed}` as \
         root, LimitNOFILE of a systemd unit, --ulimit nofile={needed} of a container), or take at most {} clients",
        most.saturating_sub(SPARE_FILES) / files
    )))
}

/// Files that this process has open beside one connection per client: terminal, runtime, report, and connections that are being
/// closed while the next one is opened.
const SPARE_FILES: u64 = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_read_behind_any_name_of_a_program() {
        let stat =
            "42 (a ) (b) S 1 42 42 0 -1 4194560 100 0 0 0 250 50 0 0 20 0 3 0 98765 1000000 500 18446744073709551615 0";
        assert_eq!(times(stat), Some((300, 98765)));
        assert_eq!(times("42 (cut off) S 1 2"), None);
        assert_eq!(times("nothing"), None);
        let status = "Name:\tfeedline\nVmHWM:\t    2048 kB\nVmRSS:\t    1024 kB\n";
        assert_eq!((kibibytes(status, "VmRSS:"), kibibytes(status, "VmHWM:")), (Some(1 << 20), Some(2 << 20)));
        assert_eq!(kibibytes("Name:\tzombie\n", "VmRSS:"), None);
    }

    #[test]
    fn more_clients_than_files_are_refused_with_what_to_do() {
        assert!(allow_open_files(1, true).is_ok());
        if let Some(most) = rustix::process::getrlimit(rustix::process::Resource::Nofile).maximum
            && most < u64::from(u32::MAX)
        {
            let refused = allow_open_files(u32::MAX, false).expect_err("more than there are");
            assert!(refused.message.contains(&most.to_string()) && refused.message.contains("ulimit"), "{refused}");
        }
    }
}
