//! What outlives a crash: outputs and the checkpoint, as far as they were synced.

use super::random::Random;
use super::world::Value;

/// What was written at once: a message, a list, or a dead letter.
#[derive(Clone, Debug)]
pub(super) struct Item {
    pub(super) step: usize,
    pub(super) values: Vec<Value>,
}

/// An output. A length is a number of items.
#[derive(Default)]
pub(super) struct Stream {
    pub(super) items: Vec<Item>,
    /// So many items a crash leaves for certain.
    synced: usize,
}

pub(super) struct Disk {
    pub(super) streams: Vec<Stream>,
    pub(super) checkpoint: Option<Vec<u8>>,
    /// What the last rename may be lost to, until the folder is synced.
    unsynced: Option<Renamed>,
}

/// A rename: what the checkpoint was before it.
struct Renamed {
    from: Option<Vec<u8>>,
}

impl Stream {
    pub(super) fn sync(&mut self) -> u64 {
        self.synced = self.items.len();
        self.synced as u64
    }

    /// Keeps the first `length` items.
    pub(super) fn cut(&mut self, length: u64) {
        let length = usize::try_from(length).unwrap();
        assert!(length <= self.items.len(), "an output has {} items, not {length}", self.items.len());
        self.items.truncate(length);
        self.synced = self.synced.min(length);
    }
}

impl Disk {
    pub(super) fn new(streams: usize) -> Self {
        Self { streams: (0..streams).map(|_| Stream::default()).collect(), checkpoint: None, unsynced: None }
    }

    pub(super) fn rename(&mut self, checkpoint: Option<Vec<u8>>) {
        self.unsynced = Some(Renamed { from: std::mem::replace(&mut self.checkpoint, checkpoint) });
    }

    pub(super) fn sync_folder(&mut self) {
        self.unsynced = None;
    }

    /// A kill leaves everything, a power cut any part of what was not synced.
    pub(super) fn crash(&mut self, random: &mut Random) {
        let unsynced = self.unsynced.take();
        if random.chance(30) {
            return;
        }
        if let Some(Renamed { from }) = unsynced.filter(|_| random.chance(50)) {
            self.checkpoint = from;
        }
        for stream in &mut self.streams {
            let kept = stream.synced + random.index(stream.items.len() - stream.synced + 1);
            stream.items.truncate(kept);
            // What is still there is on the disk.
            stream.synced = kept;
        }
    }
}
