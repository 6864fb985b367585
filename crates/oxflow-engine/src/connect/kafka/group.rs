//! What the thread in the consumer group and the lanes share: who has which partition, and what is to be committed.
//!
//! A partition that is revoked goes in four steps, so that nothing is committed for it that isn't settled, nor anything after
//! it belongs to somebody else: its lane gives it up and says so; what is settled of it is committed, while it is still ours;
//! from then on it isn't; and only then the group learns that it is free. A lane that is stuck in a step keeps nobody waiting
//! for long: the partition goes without it, and whoever gets it reads again what was not committed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rdkafka::consumer::Consumer;
use rdkafka::consumer::base_consumer::PartitionQueue;

use super::client::{self, Noted};
use super::reader::{self, Context};
use super::source::KafkaSource;
use super::{ConnectError, failed};
use crate::commit::Position;
use crate::config::KafkaStream;
use crate::connect::{Changes, Group, Source};

pub(super) type Queue = PartitionQueue<Context>;

/// A member of a consumer group.
pub(super) struct KafkaGroup {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// What its threads share.
pub(super) struct Shared {
    pub(super) stream: Arc<str>,
    pub(super) settings: KafkaStream,
    pub(super) noted: Noted,
    state: Mutex<State>,
    /// Something in the state that the thread in the group waits for.
    changed: Condvar,
}

#[derive(Default)]
struct State {
    lanes: Vec<Lane>,
    /// Partitions that a lane has begun: what is settled of them may be committed.
    owned: BTreeSet<u32>,
    /// For these where reading goes on, still to be committed.
    settled: BTreeMap<u32, i64>,
    /// A last commit of partitions that go is waited for.
    waiting: bool,
    closing: bool,
    /// What ends the run.
    error: Option<ConnectError>,
}

#[derive(Default)]
struct Lane {
    signal: Arc<Signal>,
    assigned: Vec<(u32, Queue)>,
    /// Told to the lane, or to be told, and not given up yet.
    revoked: BTreeSet<u32>,
    /// Of these the lane knows already.
    told: BTreeSet<u32>,
    ended: bool,
}

/// Wakes a lane. Its own lock, since librdkafka raises it while it holds locks of its own.
#[derive(Default)]
pub(super) struct Signal {
    raised: Mutex<bool>,
    wake: Condvar,
}

impl Signal {
    pub(super) fn raise(&self) {
        *self.raised.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.wake.notify_all();
    }

    /// Until it is raised; it then is no more.
    pub(super) fn wait(&self, timeout: Duration) {
        let raised = self.raised.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.wake.wait_timeout_while(raised, timeout, |raised| !*raised);
        *waited.unwrap_or_else(PoisonError::into_inner).0 = false;
    }
}

impl KafkaGroup {
    /// Asks a broker for the topic; the number of its partitions. Joins when the lanes are known.
    pub(super) fn open(stream: &Arc<str>, settings: &KafkaStream) -> Result<(Self, u32), ConnectError> {
        let shared = Arc::new(Shared {
            stream: Arc::clone(stream),
            settings: settings.clone(),
            noted: Noted::default(),
            state: Mutex::default(),
            changed: Condvar::new(),
        });
        let consumer = reader::connect(&shared).map_err(|error| shared.failed("connect to", &error))?;
        let partitions = client::partitions(consumer.client(), &settings.topic);
        let partitions = partitions.map_err(|error| shared.failed("connect to", &error))?;
        let runs = Arc::clone(&shared);
        let read = move || reader::run(&runs, consumer);
        let thread = thread::Builder::new().name("oxflow-kafka".to_owned()).spawn(read);
        let thread = thread.map_err(|error| ConnectError::read(stream, settings.topic.as_ref(), error))?;
        Ok((Self { shared, thread: Mutex::new(Some(thread)) }, partitions))
    }
}

impl Group for KafkaGroup {
    fn split(&self, lanes: usize) -> Vec<Box<dyn Source>> {
        let mut state = self.shared.state();
        state.lanes = (0..lanes.max(1)).map(|_| Lane::default()).collect();
        let signals: Vec<Arc<Signal>> = state.lanes.iter().map(|lane| Arc::clone(&lane.signal)).collect();
        drop(state);
        self.shared.changed.notify_all();
        let source =
            |(lane, signal)| -> Box<dyn Source> { Box::new(KafkaSource::new(Arc::clone(&self.shared), lane, signal)) };
        signals.into_iter().enumerate().map(source).collect()
    }

    fn commit(&self, settled: &BTreeMap<u32, Position>) {
        let mut state = self.shared.state();
        let owned: Vec<_> = settled.iter().filter(|(partition, _)| state.owned.contains(partition)).collect();
        for (partition, position) in owned {
            state.settled.insert(*partition, position.offset);
        }
        state.waiting = false;
        drop(state);
        self.shared.changed.notify_all();
    }

    fn is_waiting(&self) -> bool {
        self.shared.state().waiting
    }

    fn close(&self) {
        self.shared.state().closing = true;
        self.shared.changed.notify_all();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        // How it ended, its errors say.
        drop(thread.map(JoinHandle::join));
    }
}

impl Drop for KafkaGroup {
    fn drop(&mut self) {
        self.close();
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait_until(&self, timeout: Duration, over: impl Fn(&State) -> bool) -> MutexGuard<'_, State> {
        let waited = self.changed.wait_timeout_while(self.state(), timeout, |state| !state.closing && !over(state));
        waited.unwrap_or_else(PoisonError::into_inner).0
    }

    pub(super) fn failed(&self, doing: &'static str, error: &rdkafka::error::KafkaError) -> ConnectError {
        failed(&self.stream, &self.settings, doing, error, self.noted.take())
    }

    // --- for the thread in the group ---

    /// Waits until the lanes are known; false if they will never be.
    pub(super) fn has_lanes(&self) -> bool {
        let known = |state: &State| !state.lanes.is_empty();
        while !self.is_closing() {
            if known(&self.wait_until(Duration::MAX, known)) {
                return true;
            }
        }
        false
    }

    pub(super) fn is_closing(&self) -> bool {
        self.state().closing
    }

    /// Ends the run with an error.
    pub(super) fn fail(&self, error: ConnectError) {
        let mut state = self.state();
        state.error.get_or_insert(error);
        state.lanes.iter().for_each(|lane| lane.signal.raise());
    }

    /// What raises the signal of the lane that a partition belongs to.
    pub(super) fn signal(&self, partition: u32) -> Option<Arc<Signal>> {
        let mut state = self.state();
        state.lane(partition).map(|lane| Arc::clone(&lane.signal))
    }

    /// Hands partitions to their lanes. A lane that has ended takes none: what it never gives back would hold the client, and
    /// with it the membership, for ever.
    pub(super) fn assign(&self, queues: Vec<(u32, Queue)>) {
        let mut unwanted = Vec::new();
        let mut state = self.state();
        for (partition, queue) in queues {
            match state.lane(partition).filter(|lane| !lane.ended) {
                Some(lane) => {
                    lane.assigned.push((partition, queue));
                    lane.signal.raise();
                }
                None => unwanted.push(queue),
            }
        }
        // Queues are let go when the state is no longer locked.
        drop(state);
        drop(unwanted);
    }

    /// Lets the lanes give partitions up, waits for that and for a last commit, and gives what is to be committed of them. Of
    /// partitions that are lost already nothing is.
    pub(super) fn revoke(&self, partitions: &BTreeSet<u32>, is_lost: bool, wait: Duration) -> BTreeMap<u32, i64> {
        let unbegun = self.tell(partitions);
        // Not while the state is locked: a queue has a lock of its own, under which it raises signals.
        drop(unbegun);
        if is_lost {
            self.disown(partitions);
        }
        let given_up =
            |state: &State| state.lanes.iter().all(|lane| lane.ended || lane.revoked.is_disjoint(partitions));
        drop(self.wait_until(wait, given_up));
        if !is_lost {
            self.state().waiting = true;
            drop(self.wait_until(wait, |state| !state.waiting));
        }
        self.disown(partitions)
    }

    /// Tells the lanes what they have to give up; what they had not begun yet.
    fn tell(&self, partitions: &BTreeSet<u32>) -> Vec<(u32, Queue)> {
        let mut state = self.state();
        let mut unbegun = Vec::new();
        for partition in partitions {
            let Some(lane) = state.lane(*partition) else { continue };
            let begun = lane.assigned.iter().all(|(assigned, _)| assigned != partition);
            let (gone, stay) = std::mem::take(&mut lane.assigned).into_iter().partition(|(one, _)| one == partition);
            lane.assigned = stay;
            unbegun.extend::<Vec<_>>(gone);
            if begun {
                lane.revoked.insert(*partition);
                lane.signal.raise();
            }
        }
        unbegun
    }

    /// From now on nothing of them is committed.
    fn disown(&self, partitions: &BTreeSet<u32>) -> BTreeMap<u32, i64> {
        let mut state = self.state();
        state.waiting = false;
        state.owned.retain(|partition| !partitions.contains(partition));
        let settled = partitions.iter().filter_map(|partition| Some((*partition, state.settled.remove(partition)?)));
        settled.collect::<Vec<_>>().into_iter().collect()
    }

    /// What is to be committed.
    pub(super) fn take_settled(&self) -> BTreeMap<u32, i64> {
        std::mem::take(&mut self.state().settled)
    }

    /// A commit of these failed: they are to be committed again, unless something newer is, or they are gone.
    pub(super) fn put_back(&self, offsets: impl Iterator<Item = (u32, i64)>) {
        let mut state = self.state();
        for (partition, offset) in offsets {
            if state.owned.contains(&partition) {
                state.settled.entry(partition).or_insert(offset);
            }
        }
    }

    /// All that this member has.
    pub(super) fn all_partitions(&self) -> BTreeSet<u32> {
        let state = self.state();
        let assigned = state.lanes.iter().flat_map(|lane| lane.assigned.iter().map(|(partition, _)| *partition));
        assigned.chain(state.owned.iter().copied()).collect()
    }

    // --- for the lanes ---

    /// What changed for a lane, with the queues of what it begins.
    pub(super) fn changes(&self, lane: usize) -> Result<(Changes, Vec<(u32, Queue)>), ConnectError> {
        let mut state = self.state();
        if let Some(error) = state.error.take() {
            return Err(error);
        }
        let Some(found) = state.lanes.get_mut(lane) else { return Ok(Default::default()) };
        let revoked: Vec<u32> = found.revoked.difference(&found.told).copied().collect();
        found.told.extend(&revoked);
        // What came again before it was given up is begun the next time.
        if !found.revoked.is_empty() {
            return Ok((Changes { revoked, assigned: Vec::new() }, Vec::new()));
        }
        let queues = std::mem::take(&mut found.assigned);
        let assigned: Vec<u32> = queues.iter().map(|(partition, _)| *partition).collect();
        for partition in &assigned {
            state.owned.insert(*partition);
            state.settled.remove(partition);
        }
        Ok((Changes { revoked, assigned }, queues))
    }

    /// A lane has given partitions up.
    pub(super) fn released(&self, lane: usize, partitions: &[u32]) {
        let mut state = self.state();
        if let Some(lane) = state.lanes.get_mut(lane) {
            for partition in partitions {
                lane.revoked.remove(partition);
                lane.told.remove(partition);
            }
        }
        drop(state);
        self.changed.notify_all();
    }

    /// A lane reads no more.
    pub(super) fn ended(&self, lane: usize) {
        let mut state = self.state();
        let unbegun = state.lanes.get_mut(lane).map(|lane| {
            lane.ended = true;
            std::mem::take(&mut lane.assigned)
        });
        drop(state);
        drop(unbegun);
        self.changed.notify_all();
    }
}

impl State {
    fn lane(&mut self, partition: u32) -> Option<&mut Lane> {
        let count = self.lanes.len().max(1);
        self.lanes.get_mut(partition as usize % count)
    }
}
