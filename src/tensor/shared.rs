use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::atomic::{AtomicUsize, Ordering};

use memmap2::{MmapMut, MmapOptions, MmapRaw};

/// Memory that other processes may read: that of a file without a name, mapped. Who is given the file can neither write to it nor
/// change its length. It is gone with this, whoever has it mapped then, and reads as zero.
pub(super) struct Shared {
    /// Open for reading only.
    file: File,
    map: MmapMut,
    _counted: Counted,
}

impl Shared {
    /// `bytes` bytes, zero.
    ///
    /// # Errors
    /// If the system has no such files, or gives no more of them, or this process has [`MOST`] of them.
    pub(super) fn zeroed(bytes: usize) -> io::Result<Shared> {
        let counted = Counted::new()?;
        let (file, map) = mapped(bytes)?;
        Ok(Shared { file, map, _counted: counted })
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.map
    }

    pub(super) fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.map
    }

    pub(super) fn file(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

impl Drop for Shared {
    #[allow(unsafe_code)]
    fn drop(&mut self) {
        // SAFETY: nobody has a reference into the map any more. It becomes zero, which is content like any other.
        #[cfg(target_os = "linux")]
        let _ = unsafe { self.map.unchecked_advise(memmap2::UncheckedAdvice::Remove) };
    }
}

/// What the system calls it in lists of open files.
#[cfg(target_os = "linux")]
const NAME: &str = "feedline-batch";

#[cfg(target_os = "linux")]
#[allow(unsafe_code)]
fn mapped(bytes: usize) -> io::Result<(File, MmapMut)> {
    use std::os::fd::AsRawFd;

    use memmap2::Advice;
    use rustix::fs::{MemfdFlags, Mode, SealFlags, fchmod, fcntl_add_seals, ftruncate, memfd_create};
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    // Systems can be set up to give none that might be run; Linux before 6.3 does not know the flag.
    let file = memfd_create(NAME, flags | MemfdFlags::NOEXEC_SEAL).or_else(|_| memfd_create(NAME, flags))?;
    let file = File::from(file);
    ftruncate(&file, bytes as u64)?;
    fcntl_add_seals(&file, SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL)?;
    // The seal against writing would forbid to give the memory back, too. So what is handed out is another opening of the file, which can
    // only be read, and no other user can open it for more.
    fchmod(&file, Mode::RUSR)?;
    let read_only = File::open(format!("/proc/self/fd/{}", file.as_raw_fd()))?;
    // SAFETY: nobody can cut the file off, and nobody else has one that can be written to: at most a process of this user could make one, and
    // that could write to all memory of this process, too.
    let map = unsafe { MmapOptions::new().len(bytes).map_mut(&file)? };
    // All pages at once, and as large as the system gives: a worker that writes would meet a fault for each. Where it can't do that it
    // does so one by one.
    let _ = map.advise(Advice::HugePage);
    let _ = map.advise(Advice::PopulateWrite);
    Ok((read_only, map))
}

#[cfg(not(target_os = "linux"))]
fn mapped(_bytes: usize) -> io::Result<(File, MmapMut)> {
    Err(io::ErrorKind::Unsupported.into())
}

/// One of those that this process has.
struct Counted;

static ALIVE: AtomicUsize = AtomicUsize::new(0);

/// Most of them that a process has. Each is an open file, of which a process usually may have 1,024.
const MOST: usize = 256;

impl Counted {
    fn new() -> io::Result<Counted> {
        let one_more = |alive| (alive < MOST).then_some(alive + 1);
        match ALIVE.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more) {
            Ok(_) => Ok(Counted),
            Err(_) => Err(io::Error::other("as many files of memory as one process may have")),
        }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        ALIVE.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Memory of another process, from [`Aligned::file`](super::Aligned::file) of its.
#[derive(Debug)]
pub struct View(MmapRaw);

impl View {
    /// All of `file`.
    ///
    /// # Errors
    /// If it can't be mapped, or its owner could cut it off: who reads what is gone is killed by the system.
    pub fn of(file: &File) -> io::Result<View> {
        if !is_fixed(file)? {
            return Err(io::Error::other("a file that can be cut off"));
        }
        Ok(View(MmapOptions::new().map_raw_read_only(file)?))
    }

    /// Number of bytes.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Copies the bytes from `at` on. If their owner writes to them meanwhile it is not known which ones come: there is a checksum
    /// to tell.
    ///
    /// # Panics
    /// If there are not so many.
    #[allow(unsafe_code)]
    pub fn copy(&self, at: usize, to: &mut [u8]) {
        assert!(at.checked_add(to.len()).is_some_and(|end| end <= self.len()), "{} bytes at {at}", to.len());
        // SAFETY: they are there, as was just seen, and stay there as long as the map does, since the file can't be cut off. No
        // reference to them is made, only this copy.
        unsafe { std::ptr::copy_nonoverlapping(self.0.as_ptr().add(at), to.as_mut_ptr(), to.len()) };
    }
}

#[cfg(target_os = "linux")]
fn is_fixed(file: &File) -> io::Result<bool> {
    Ok(rustix::fs::fcntl_get_seals(file)?.contains(rustix::fs::SealFlags::SHRINK))
}

#[cfg(not(target_os = "linux"))]
fn is_fixed(_file: &File) -> io::Result<bool> {
    Ok(false)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn whoever_has_the_file_can_read_it_and_do_nothing_else() {
        let mut shared = Shared::zeroed(10_048).expect("memory");
        shared.bytes_mut()[10_000] = 7;
        let mut theirs = File::from(shared.file().try_clone_to_owned().expect("a file"));
        let view = View::of(&theirs).expect("fixed");
        let read = || {
            let mut read = [9; 48];
            view.copy(10_000, &mut read);
            (read[0], read[1])
        };
        assert_eq!((view.len(), read()), (10_048, (7, 0)));
        shared.bytes_mut()[10_000] = 8;
        assert_eq!(read().0, 8, "it is the same memory");
        assert!(theirs.write(&[1]).is_err() && theirs.set_len(0).is_err() && theirs.set_len(1 << 20).is_err());
        drop(shared);
        assert_eq!(read().0, 0, "its memory is given back, whoever has it");
    }

    #[test]
    fn a_file_that_can_be_cut_off_is_not_mapped() {
        let file = tempfile::tempfile().expect("a file");
        file.set_len(4096).expect("room");
        assert!(View::of(&file).is_err());
    }

    #[test]
    #[should_panic(expected = "49 bytes at 16")]
    fn what_is_not_there_is_not_read() {
        let shared = Shared::zeroed(64).expect("memory");
        let file = File::from(shared.file().try_clone_to_owned().expect("a file"));
        View::of(&file).expect("fixed").copy(16, &mut [0; 49]);
    }
}
