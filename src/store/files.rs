use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read as _, Seek as _};
use std::path::Path;

use crate::source::Location;

use super::slots::Room;

/// Encoded samples of a split, back to back.
#[derive(Debug)]
pub(super) struct Files {
    arena: Box<[u8]>,
    /// Where each sample ends in it, which is where the next begins.
    ends: Box<[u64]>,
    /// Samples whose length was not the listed one, by index. Their place in the arena is not used. Nearly always empty.
    apart: BTreeMap<usize, Box<[u8]>>,
    /// Bytes of all samples, wherever they are.
    content: u64,
}

/// Where the bytes of a sample went.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Read {
    /// Into the slot.
    InPlace,
    /// Into memory of their own, since they are more or fewer than listed.
    Apart(Box<[u8]>),
    /// Nowhere, for this reason.
    Failed(String),
}

impl Files {
    /// Bytes of memory of a sample beside its content.
    pub(super) const BYTES: usize = size_of::<u64>();

    /// Space for samples of these lengths, zero. Nothing if the system has not so much.
    pub(super) fn with_lengths(lengths: impl Iterator<Item = u64>) -> Option<Self> {
        let mut end = 0_u64;
        let ends: Option<Box<[u64]>> = lengths
            .map(|length| {
                end = end.checked_add(length)?;
                Some(end)
            })
            .collect();
        let total = usize::try_from(end).ok()?;
        // Asked for and given back: a refusal can be reported here, while `vec!` would end the process.
        Vec::<u8>::new().try_reserve_exact(total).ok()?;
        Some(Files { arena: vec![0; total].into(), ends: ends?, apart: BTreeMap::new(), content: end })
    }

    /// The place of each sample, to be written.
    pub(super) fn slots(&mut self) -> Vec<&mut [u8]> {
        let mut rest = &mut self.arena[..];
        let mut start = 0;
        let mut slots = Vec::with_capacity(self.ends.len());
        for end in &self.ends {
            let slot = rest.split_off_mut(..(end - start) as usize).expect("the arena is as long as the last end");
            slots.push(slot);
            start = *end;
        }
        slots
    }

    /// Puts samples apart from the arena.
    pub(super) fn set_apart(&mut self, apart: BTreeMap<usize, Box<[u8]>>) {
        for (index, bytes) in &apart {
            self.content = self.content - (self.ends[*index] - self.start(*index)) + bytes.len() as u64;
        }
        self.apart = apart;
    }

    pub(super) fn encoded(&self, index: usize) -> &[u8] {
        if let Some(bytes) = self.apart.get(&index) {
            return bytes;
        }
        &self.arena[self.start(index) as usize..self.ends[index] as usize]
    }

    fn start(&self, index: usize) -> u64 {
        if index == 0 { 0 } else { self.ends[index - 1] }
    }

    /// Bytes of all samples.
    pub(super) fn content(&self) -> u64 {
        self.content
    }

    /// Bytes of memory of the contents: of unused places in the arena too.
    pub(super) fn memory(&self) -> u64 {
        self.arena.len() as u64 + self.apart.values().map(|bytes| bytes.len() as u64).sum::<u64>()
    }
}

/// Reads a sample into its slot, or apart from it where the slot does not fit any more; memory for that comes from `room`. What
/// fails is tried again.
pub(super) fn read(location: &Location, slot: &mut [u8], room: &Room) -> Read {
    let path = match location {
        Location::Path(path) => path,
        Location::Embedded(bytes) if bytes.len() == slot.len() => {
            slot.copy_from_slice(bytes);
            return Read::InPlace;
        }
        Location::Embedded(bytes) => return Read::Apart((*bytes).into()),
        Location::Memory(bytes) if bytes.len() == slot.len() => {
            slot.copy_from_slice(bytes);
            return Read::InPlace;
        }
        Location::Memory(bytes) => return Read::Apart((&**bytes).into()),
    };
    let mut cause = String::new();
    for _ in 0..TRIES {
        match read_file(path, slot, room) {
            Ok(read) => return read,
            Err(error) => cause = error.to_string(),
        }
    }
    Read::Failed(cause)
}

fn read_file(path: &Path, slot: &mut [u8], room: &Room) -> io::Result<Read> {
    let mut file = File::open(path)?;
    if file.metadata()?.len() == slot.len() as u64 {
        match file.read_exact(slot) {
            // As long as listed only if nothing follows.
            Ok(()) if file.read(&mut [0])? == 0 => return Ok(Read::InPlace),
            Err(error) if error.kind() != io::ErrorKind::UnexpectedEof => return Err(error),
            _ => file.rewind()?,
        }
    }
    let length = file.metadata()?.len();
    if !room.take(length) {
        return Ok(Read::Failed(format!(
            "was listed with {} bytes, has {length} now, and the memory budget has no room for them",
            slot.len()
        )));
    }
    let read = read_apart(file, length);
    if read.is_err() {
        room.give(length);
    }
    read
}

fn read_apart(file: File, length: u64) -> io::Result<Read> {
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(usize::try_from(length).map_err(io::Error::other)?)?;
    // One more than there should be, so that a file that grows is noticed.
    file.take(length.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 != length {
        return Err(io::Error::other("changes while it is read"));
    }
    Ok(Read::Apart(bytes.into()))
}

/// How often a file is tried: a network file system may fail once.
const TRIES: u32 = 3;

#[cfg(test)]
mod tests {
    use super::*;

    fn file(content: &[u8]) -> (tempfile::TempDir, Location) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("1.png");
        std::fs::write(&path, content).expect("written");
        (folder, Location::Path(path))
    }

    fn failure(read: Read) -> Option<String> {
        if let Read::Failed(cause) = read { Some(cause) } else { None }
    }

    #[test]
    fn samples_lie_back_to_back() {
        let mut files = Files::with_lengths([2, 0, 3].into_iter()).expect("little");
        let filled = files.slots().into_iter().enumerate().map(|(n, slot)| slot.fill(n as u8 + 1)).count();
        assert_eq!(
            (filled, files.encoded(0), files.encoded(1), files.encoded(2)),
            (3, &[1, 1][..], &[][..], &[3, 3, 3][..])
        );
        assert_eq!((files.content(), files.memory()), (5, 5));
        files.set_apart(BTreeMap::from([(1, Box::from(*b"longer")), (2, Box::default())]));
        assert_eq!((files.encoded(0), files.encoded(1), files.encoded(2)), (&[1, 1][..], &b"longer"[..], &[][..]));
        assert_eq!((files.content(), files.memory()), (8, 11));
        assert!(Files::with_lengths([u64::MAX, 1].into_iter()).is_none());
        assert!(Files::with_lengths([u64::MAX / 2].into_iter()).is_none());
    }

    #[test]
    fn a_file_of_another_length_than_listed_is_read_as_it_is_now() {
        let (_folder, location) = file(b"abcd");
        for listed in [0, 3, 5, 4000] {
            let room = Room::new(10);
            assert_eq!(read(&location, &mut vec![0; listed], &room), Read::Apart(Box::from(*b"abcd")), "{listed}");
            assert_eq!(room.left(), 6);
        }
        let mut slot = [0; 4];
        assert_eq!(read(&location, &mut slot, &Room::new(0)), Read::InPlace);
        assert_eq!(&slot, b"abcd");
    }

    #[test]
    fn a_file_that_grew_beyond_the_budget_is_given_up_with_both_lengths() {
        let (_folder, location) = file(b"abcd");
        let cause = failure(read(&location, &mut [0; 1], &Room::new(3))).expect("no room");
        assert!(cause.contains("1 bytes") && cause.contains("has 4 now"), "{cause}");
    }

    #[test]
    fn what_can_not_be_read_has_its_cause() {
        let folder = tempfile::tempdir().expect("a folder");
        let room = Room::new(1 << 20);
        for path in [folder.path().join("none.jpg"), folder.path().to_path_buf()] {
            let cause = failure(read(&Location::Path(path), &mut [], &room));
            assert!(cause.is_some_and(|cause| !cause.is_empty()));
        }
        assert_eq!(room.left(), 1 << 20, "given back");
    }
}
