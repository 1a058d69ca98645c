use std::iter::Sum;
use std::ops::Add;
use std::path::{Path, PathBuf};
use std::{fmt, fs};

use super::Human;

/// Bytes of memory that datasets take or may take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// Encoded samples.
    pub encoded: u64,
    /// Keys, labels, sizes, states and places of samples.
    pub index: u64,
    /// Decoded images, at most.
    pub decoded_budget: u64,
}

impl Memory {
    /// All of it.
    pub fn total(self) -> u64 {
        self.encoded.saturating_add(self.index).saturating_add(self.decoded_budget)
    }
}

impl Add for Memory {
    type Output = Memory;

    fn add(self, other: Memory) -> Memory {
        Memory {
            encoded: self.encoded.saturating_add(other.encoded),
            index: self.index.saturating_add(other.index),
            decoded_budget: self.decoded_budget.saturating_add(other.decoded_budget),
        }
    }
}

impl Sum for Memory {
    fn sum<I: Iterator<Item = Memory>>(all: I) -> Memory {
        all.fold(Memory::default(), Memory::add)
    }
}

impl fmt::Display for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Memory { encoded, index, decoded_budget } = *self;
        let total = Human(self.total());
        write!(f, "{total} = encoded {} + index {} + decoded {}", Human(encoded), Human(index), Human(decoded_budget))
    }
}

/// Bytes that this process may use: what the machine has, or what its control groups (of version 1 or 2) or those around them
/// allow, whichever is least. None where the system does not tell: everywhere but on Linux.
pub fn allowed() -> Option<u64> {
    allowed_by(&|path| fs::read_to_string(path).ok())
}

/// The same, on a machine whose files `read` reads.
fn allowed_by(read: &dyn Fn(&Path) -> Option<String>) -> Option<u64> {
    let machine = read(Path::new("/proc/meminfo")).and_then(|text| installed(&text));
    let groups = read(Path::new("/proc/self/cgroup")).unwrap_or_default();
    let mounts = read(Path::new("/proc/self/mountinfo")).unwrap_or_default();
    let limits = mounts.lines().filter_map(|line| Mount::parse(line, &groups)).filter_map(|mount| mount.limit(read));
    machine.into_iter().chain(limits).min()
}

/// Installed memory, as in `MemTotal:       24684092 kB`.
fn installed(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kibibytes.checked_mul(1024)
}

/// A hierarchy of control groups that can limit memory, and this process's place in it.
struct Mount {
    /// Where the hierarchy is to be seen.
    point: PathBuf,
    /// The group of this process, below that.
    group: PathBuf,
    /// Files of a group that hold a limit.
    files: &'static [&'static str],
}

impl Mount {
    /// Reads a line of `/proc/self/mountinfo`, such as
    /// `31 23 0:28 / /sys/fs/cgroup/memory rw,relatime shared:9 - cgroup cgroup rw,memory`; `groups` are the lines of
    /// `/proc/self/cgroup`, such as `4:memory:/user` and, for version 2, `0::/user`.
    fn parse(line: &str, groups: &str) -> Option<Self> {
        let (left, right) = line.split_once(" - ")?;
        let (left, right): (Vec<&str>, Vec<&str>) = (left.split(' ').collect(), right.split(' ').collect());
        let (root, point, kind, options) = (*left.get(3)?, *left.get(4)?, *right.first()?, *right.get(2)?);
        let memory = |list: &str| list.split(',').any(|word| word == "memory");
        let files: &[&str] = match kind {
            // Above `high` the kernel slows a group down, which serves nobody.
            "cgroup2" => &["memory.max", "memory.high"],
            "cgroup" if memory(options) => &["memory.limit_in_bytes"],
            _ => return None,
        };
        let group = groups.lines().find_map(|line| {
            let mut fields = line.splitn(3, ':');
            let (number, controllers, path) = (fields.next()?, fields.next()?, fields.next()?);
            let own = if kind == "cgroup2" { number == "0" } else { memory(controllers) };
            own.then_some(path)
        })?;
        // A container may see its own group as the mount's root, and the group's name as the host does.
        let group = Path::new(group).strip_prefix(root).unwrap_or(Path::new(""));
        Some(Mount { point: point.into(), group: group.into(), files })
    }

    /// The least limit of the group and of those around it.
    fn limit(&self, read: &dyn Fn(&Path) -> Option<String>) -> Option<u64> {
        let groups = self.group.ancestors().map(|group| self.point.join(group));
        // Without a limit a file says `max` (version 2) or a number above any machine's memory (version 1).
        let limits = groups.flat_map(|group| {
            self.files.iter().filter_map(move |file| read(&group.join(file))?.trim().parse::<u64>().ok())
        });
        limits.min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MEMINFO: (&str, &str) = ("/proc/meminfo", "MemTotal:       1000 kB\nMemFree:         10 kB\n");

    fn allowed_with(files: &[(&str, &str)]) -> Option<u64> {
        let find = |path: &Path| files.iter().find(|(name, _)| path == Path::new(name));
        allowed_by(&|path| find(path).map(|(_, text)| (*text).into()))
    }

    #[test]
    fn without_groups_it_is_what_is_installed() {
        assert_eq!(allowed_with(&[MEMINFO]), Some(1_024_000));
        assert_eq!(allowed_with(&[]), None);
        assert_eq!(allowed_with(&[("/proc/meminfo", "MemTotal: many kB")]), None);
    }

    #[test]
    fn version_2_counts_the_groups_around() {
        let mut files = vec![
            MEMINFO,
            ("/proc/self/cgroup", "0::/pods/a\n"),
            ("/proc/self/mountinfo", "30 23 0:26 / /sys/fs/cgroup rw shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"),
            ("/sys/fs/cgroup/pods/a/memory.max", "max\n"),
        ];
        assert_eq!(allowed_with(&files), Some(1_024_000));
        files.push(("/sys/fs/cgroup/pods/memory.max", "5000\n"));
        assert_eq!(allowed_with(&files), Some(5000));
        files.push(("/sys/fs/cgroup/pods/a/memory.high", "4000\n"));
        assert_eq!(allowed_with(&files), Some(4000));
    }

    #[test]
    fn version_1_is_found_in_and_outside_of_a_container() {
        let groups = ("/proc/self/cgroup", "5:cpu,cpuacct:/\n4:memory:/docker/abc\n0::/\n");
        let limit = ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "6000");
        let inside = "31 23 0:28 /docker/abc /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n";
        let files = [MEMINFO, groups, limit, ("/proc/self/mountinfo", inside)];
        assert_eq!(allowed_with(&files), Some(6000));
        let outside = "31 23 0:28 / /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n";
        let own = ("/sys/fs/cgroup/memory/docker/abc/memory.limit_in_bytes", "5999");
        let unlimited = ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712");
        assert_eq!(allowed_with(&[MEMINFO, groups, own, unlimited, ("/proc/self/mountinfo", outside)]), Some(5999));
        assert_eq!(allowed_with(&[MEMINFO, groups, unlimited, ("/proc/self/mountinfo", outside)]), Some(1_024_000));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn this_machine_tells() {
        assert!(allowed().is_some_and(|bytes| bytes > 1 << 20));
    }

    #[test]
    fn sums_name_each_term() {
        let one = Memory { encoded: 1 << 30, index: 1 << 20, decoded_budget: 3 << 30 };
        assert_eq!([one, one].into_iter().sum::<Memory>().total(), (8 << 30) + (2 << 20));
        assert_eq!(one.to_string(), "4.00 GiB = encoded 1.00 GiB + index 1.00 MiB + decoded 3.00 GiB");
    }
}
