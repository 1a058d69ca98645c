//! Pages of 2 MiB for memory of which all is written and read.

/// Fewest bytes for which it is worth asking.
const FEWEST: usize = 4 << 20;

/// Asks the system to take pages of 2 MiB for `bytes` as they are first touched: one fault and one entry of the processor's tables in
/// place of 512. Nothing happens if `bytes` are few or the system has no such pages.
pub(crate) fn ask_for_huge(bytes: &mut [u8]) {
    if bytes.len() >= FEWEST {
        ask(bytes);
    }
}

/// Lets this process have huge pages, where something had the system refuse them to it: mimalloc does that when it is built to take none
/// for itself. Memory that is asked for by name can have them then.
pub fn allow_huge() {
    #[cfg(target_os = "linux")]
    let _ = rustix::thread::disable_transparent_huge_pages(false);
}

#[cfg(target_os = "linux")]
#[allow(unsafe_code)]
fn ask(bytes: &mut [u8]) {
    let page = rustix::param::page_size();
    let before = bytes.as_ptr().align_offset(page);
    let whole = &mut bytes[before..];
    let length = whole.len() / page * page;
    // SAFETY: the range is memory that is borrowed for writing, and what pages it has changes nothing of its content. It may fail: it is a
    // wish.
    let _ = unsafe { rustix::mm::madvise(whole.as_mut_ptr().cast(), length, rustix::mm::Advice::LinuxHugepage) };
}

#[cfg(not(target_os = "linux"))]
fn ask(_bytes: &mut [u8]) {}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use crate::tensor::Aligned;

    /// Whether the system was asked for huge pages for the memory at an address, as it says itself.
    fn is_asked_for(address: usize) -> bool {
        let maps = std::fs::read_to_string("/proc/self/smaps").expect("a process has maps");
        let mut inside = false;
        for line in maps.lines() {
            let first = line.split_whitespace().next().unwrap_or_default();
            if let Some(flags) = line.strip_prefix("VmFlags:") {
                if inside {
                    return flags.split_whitespace().any(|flag| flag == "hg");
                }
            } else if let Some((from, to)) = first.split_once('-') {
                let number = |text| usize::from_str_radix(text, 16).expect("an address");
                inside = (number(from)..number(to)).contains(&address);
            }
        }
        false
    }

    #[test]
    fn huge_pages_are_asked_for_where_there_is_much_memory() {
        // Kernels can be built without.
        let there_are = std::path::Path::new("/sys/kernel/mm/transparent_hugepage").exists();
        let memory = Aligned::zeroed(8 << 20);
        let middle = memory.bytes().as_ptr() as usize + memory.len() / 2;
        assert_eq!(is_asked_for(middle), there_are);
        assert!(memory.bytes().iter().all(|&byte| byte == 0));
    }
}
