//! Log records on their way to whoever shows them. Who records never waits: what finds no room is counted and dropped.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::record::Record;

/// Most records that wait to be shown.
pub const QUEUE_RECORDS: usize = 8192;
/// Most memory that they take.
pub const QUEUE_BYTES: usize = 8 << 20;

/// Records that wait.
#[derive(Debug)]
pub(super) struct Queue {
    records: usize,
    bytes: usize,
    waiting: Mutex<Waiting>,
    something: Condvar,
    /// How often somebody took what waited.
    takes: AtomicU64,
    dropped: AtomicU64,
}

#[derive(Debug, Default)]
struct Waiting {
    records: VecDeque<Record>,
    bytes: usize,
    /// Somebody sleeps until there is something, and nobody woke him yet.
    asleep: bool,
    closed: bool,
}

impl Queue {
    pub(super) fn bounded(records: usize, bytes: usize) -> Self {
        Self {
            records,
            bytes,
            waiting: Mutex::default(),
            something: Condvar::new(),
            takes: AtomicU64::new(0),
            dropped: AtomicU64::new(0),
        }
    }

    pub(super) fn push(&self, record: Record) {
        let size = record.size_bytes();
        let mut waiting = self.lock();
        // One alone always finds room: it is bounded itself.
        let is_full = waiting.records.len() >= self.records || waiting.bytes + size > self.bytes;
        if is_full && !waiting.records.is_empty() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
            return;
        }
        waiting.bytes += size;
        waiting.records.push_back(record);
        if std::mem::take(&mut waiting.asleep) {
            self.something.notify_all();
        }
    }

    /// All that wait.
    pub(super) fn take(&self) -> Vec<Record> {
        let mut waiting = self.lock();
        waiting.bytes = 0;
        self.takes.fetch_add(1, Ordering::Relaxed);
        std::mem::take(&mut waiting.records).into()
    }

    /// Waits until there is something, or the queue is closed, `timeout` at most.
    pub(super) fn wait(&self, timeout: Duration) {
        let mut waiting = self.lock();
        waiting.asleep = true;
        let nothing = |waiting: &mut Waiting| waiting.records.is_empty() && !waiting.closed;
        let waited = self.something.wait_timeout_while(waiting, timeout, nothing);
        waited.unwrap_or_else(PoisonError::into_inner).0.asleep = false;
    }

    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.something.notify_all();
    }

    pub(super) fn is_closed(&self) -> bool {
        self.lock().closed
    }

    pub(super) fn is_empty(&self) -> bool {
        self.lock().records.is_empty()
    }

    pub(super) fn takes(&self) -> u64 {
        self.takes.load(Ordering::Relaxed)
    }

    pub(super) fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::thread;
    use std::time::Instant;

    use super::*;
    use crate::host::record::{Fields, Site};

    fn record(message: &str) -> Record {
        let text = |text: &'static str| text.into();
        let site = Site { level: 2, name: text(""), target: text("steps"), module: None, file: None, line: 0 };
        Record {
            time: std::time::SystemTime::now(),
            site,
            message: message.to_owned(),
            fields: Fields::new(),
            step: None,
            lane: None,
            thread: None,
            span: None,
            span_fields: Fields::new(),
            trace_id: 0,
            span_id: 0,
            parent_id: 0,
            is_exported: false,
        }
    }

    fn messages(queue: &Queue) -> Vec<String> {
        queue.take().into_iter().map(|record| record.message).collect()
    }

    #[test]
    fn what_finds_no_room_is_dropped_and_counted() {
        let queue = Queue::bounded(2, QUEUE_BYTES);
        for message in ["a", "b", "c", "d"] {
            queue.push(record(message));
        }
        assert_eq!((vec!["a".to_owned(), "b".to_owned()], 2), (messages(&queue), queue.dropped()));
        queue.push(record("e"));
        assert_eq!((vec!["e".to_owned()], 2), (messages(&queue), queue.dropped()));
    }

    #[test]
    fn memory_is_bounded_too() {
        let queue = Queue::bounded(QUEUE_RECORDS, 3 * record("").size_bytes());
        for _ in 0..4 {
            queue.push(record(""));
        }
        assert_eq!((3, 1), (queue.take().len(), queue.dropped()));
        // One alone always finds room.
        queue.push(record(&"x".repeat(10_000)));
        assert_eq!(1, queue.take().len());
    }

    #[test]
    fn who_waits_is_woken_by_a_record_and_by_the_end() {
        let queue = Queue::bounded(2, QUEUE_BYTES);
        let (patience, started) = (Duration::from_secs(20), Instant::now());
        thread::scope(|scope| {
            scope.spawn(|| queue.push(record("a")));
            queue.wait(patience);
            assert_eq!(vec!["a".to_owned()], messages(&queue));
            scope.spawn(|| queue.close());
            queue.wait(patience);
            assert!(queue.is_closed());
        });
        assert!(started.elapsed() < patience);
    }
}
