//! What the thread in the consumer group and the lanes share: who has which partition, and what is to be committed.
//!
//! A partition that is revoked goes in four steps, so that nothing is committed for it that isn't settled, nor anything after
//! it belongs to somebody else: its lane gives it up and says so; what is settled of it is committed, while it is still ours;
//! from then on it isn't; and only then the group learns that it is free. A lane that is stuck in a step keeps nobody waiting
//! for long: the partition goes without it, and whoever gets it reads again what was not committed.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rdkafka::consumer::Consumer;
use rdkafka::consumer::base_consumer::PartitionQueue;

use super::client::{self, Noted};
use super::context::Context;
use super::lag::Lag;
use super::ownership::{News, Ownership};
use super::reader::{self, Member, Reader};
use super::source::KafkaSource;
use super::topics::Topics;
use super::transactions::KafkaTransactions;
use super::{ConnectError, failed};
use crate::config::KafkaStream;
use crate::connect::{Changes, Group, Owned, Settled, Source, Standing, TransactionSettings, Transactions};

pub(super) type Queue = PartitionQueue<Context<Member>>;

/// A member of a consumer group.
pub(super) struct KafkaGroup {
    shared: Arc<Shared>,
    lag: Lag,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// What its threads share.
pub(super) struct Shared {
    /// The first of them, for errors.
    stream: Arc<str>,
    /// Those of all topics, but for their names.
    pub(super) settings: KafkaStream,
    pub(super) topics: Topics,
    /// Name of the member, if it has one that stays.
    pub(super) instance: Option<String>,
    pub(super) noted: Arc<Noted>,
    /// How much of a partition is fetched ahead; none until their number is known.
    queue_bytes: OnceLock<u32>,
    /// Present where offsets are committed with the outputs; without, the thread in the group commits them.
    transactions: OnceLock<Weak<KafkaTransactions>>,
    state: Mutex<State>,
    /// Something in the state that the thread in the group waits for.
    changed: Condvar,
}

#[derive(Default)]
struct State {
    signals: Vec<Arc<Signal>>,
    ownership: Ownership<Queue>,
    /// The member as it is now; another one after it failed for good.
    reader: Weak<Reader>,
    /// Whether a last commit of partitions that go is waited for.
    asked: Asked,
    closing: bool,
    /// What ends the run.
    error: Option<ConnectError>,
}

/// A last commit, which must be of what the lanes showed after it was asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Asked {
    #[default]
    No,
    Yes,
    /// The commit that will answer has begun.
    Begun,
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
    /// Asks a broker for the topics, and makes their partitions known. Joins when the lanes are known.
    pub(super) fn open(
        (stream, settings): &(Arc<str>, KafkaStream),
        topics: Topics,
        instance: Option<&str>,
    ) -> Result<Self, ConnectError> {
        let settings = KafkaStream { topic: topics.names(), ..settings.clone() };
        let shared = Arc::new(Shared {
            stream: Arc::clone(stream),
            settings,
            topics,
            instance: instance.map(str::to_owned),
            noted: Arc::default(),
            queue_bytes: OnceLock::new(),
            transactions: OnceLock::new(),
            state: Mutex::default(),
            changed: Condvar::new(),
        });
        let connect = || reader::connect(&shared).map_err(|error| shared.failed("connect to", &error));
        let mut consumer = connect()?;
        // It has not joined, so that no message can come.
        let serve = || drop(consumer.poll(Duration::ZERO));
        let partitions = shared.topics.ask(consumer.client(), &shared.noted, serve);
        let partitions = partitions.map_err(|error| shared.failed("connect to", &error))?;
        let guessed = shared.queue_bytes();
        if *shared.queue_bytes.get_or_init(|| client::share(&shared.settings, partitions)) != guessed {
            consumer = connect()?;
        }
        let runs = Arc::clone(&shared);
        let read = move || {
            // Without the thread nothing would be read any more, nor would the run end.
            if catch_unwind(AssertUnwindSafe(|| reader::run(&runs, consumer))).is_err() {
                runs.spoil("the thread in the group panicked");
                runs.fail(runs.panicked());
            }
        };
        let thread = thread::Builder::new().name("oxflow-kafka".to_owned()).spawn(read);
        let thread = thread.map_err(|error| ConnectError::read(stream, shared.settings.topic.as_ref(), error))?;
        let lag = Lag::start(&shared);
        Ok(Self { shared, lag, thread: Mutex::new(Some(thread)) })
    }
}

impl Group for KafkaGroup {
    fn split(&self, lanes: usize) -> Vec<Box<dyn Source>> {
        let mut state = self.shared.state();
        state.signals = (0..lanes.max(1)).map(|_| Arc::default()).collect();
        state.ownership.share_out(lanes);
        let signals = state.signals.clone();
        drop(state);
        self.shared.changed.notify_all();
        let source =
            |(lane, signal)| -> Box<dyn Source> { Box::new(KafkaSource::new(Arc::clone(&self.shared), lane, signal)) };
        signals.into_iter().enumerate().map(source).collect()
    }

    fn commit(&self, settled: &BTreeMap<u32, Settled>) {
        self.shared.state().ownership.settle(settled);
        self.shared.answered();
    }

    fn is_waiting(&self) -> bool {
        self.shared.state().asked != Asked::No
    }

    fn begin_commit(&self) {
        let mut state = self.shared.state();
        if state.asked == Asked::Yes {
            state.asked = Asked::Begun;
        }
    }

    fn transactions(&self, settings: &TransactionSettings) -> Result<Arc<dyn Transactions>, ConnectError> {
        let transactions = Arc::new(KafkaTransactions::open(&self.shared, settings)?);
        // It is set once.
        drop(self.shared.transactions.set(Arc::downgrade(&transactions)));
        Ok(transactions)
    }

    fn standing(&self) -> Option<Standing> {
        Some(self.lag.standing(&self.shared.stream, &self.shared.owned()))
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

    /// The partitions that this member has.
    pub(super) fn owned(&self) -> BTreeSet<u32> {
        self.state().ownership.all()
    }

    pub(super) fn queue_bytes(&self) -> u32 {
        self.queue_bytes.get().copied().unwrap_or_else(|| client::share(&self.settings, 1))
    }

    pub(super) fn failed(&self, doing: &'static str, error: &rdkafka::error::KafkaError) -> ConnectError {
        failed(&self.stream, &self.settings, doing, error, self.noted.take())
    }

    fn panicked(&self) -> ConnectError {
        ConnectError::Broker {
            stream: self.stream.to_string(),
            doing: "read",
            topic: self.settings.topic.clone(),
            why: "the thread that is in the group panicked".to_owned(),
            fix: "please report it, with what the panic said",
        }
    }

    // --- for the thread in the group ---

    /// Waits until the lanes are known; false if they will never be.
    pub(super) fn has_lanes(&self) -> bool {
        let known = |state: &State| state.ownership.is_shared_out();
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

    /// The member is another one.
    pub(super) fn joins_as(&self, reader: &Arc<Reader>) {
        self.state().reader = Arc::downgrade(reader);
    }

    pub(super) fn reader(&self) -> Option<Arc<Reader>> {
        self.state().reader.upgrade()
    }

    /// Ends the run with an error.
    pub(super) fn fail(&self, error: ConnectError) {
        let mut state = self.state();
        state.error.get_or_insert(error);
        state.signals.iter().for_each(|signal| signal.raise());
    }

    /// True if offsets are committed with the outputs, not by the thread in the group.
    pub(super) fn is_transactional(&self) -> bool {
        self.transactions.get().is_some()
    }

    /// Partitions went while something of them was not committed: what is written since the last commit is to be undone.
    pub(super) fn spoil(&self, why: &str) {
        if let Some(transactions) = self.transactions.get().and_then(Weak::upgrade) {
            transactions.spoil(why);
        }
    }

    /// Partitions are about to come.
    pub(super) fn announce(&self, partitions: &BTreeSet<u32>) {
        self.state().ownership.announce(partitions);
    }

    /// Hands partitions to their lanes. A lane that has ended takes none: what it never gives back would hold the client, and
    /// with it the membership, for ever.
    pub(super) fn assign(&self, queues: Vec<(u32, Queue)>) {
        let mut unwanted = Vec::new();
        let mut state = self.state();
        for (partition, queue) in queues {
            unwanted.extend(state.ownership.assign(partition, queue));
            let lane = state.ownership.lane(partition);
            state.signals.get(lane).iter().for_each(|signal| signal.raise());
        }
        // Queues are let go when the state is no longer locked.
        drop(state);
        drop(unwanted);
    }

    /// Lets the lanes give partitions up, waits for that and for a last commit, and gives what is to be committed of them. Of
    /// partitions that are lost already nothing is.
    pub(super) fn revoke(&self, partitions: &BTreeSet<u32>, is_lost: bool, wait: Duration) -> BTreeMap<u32, i64> {
        // Not while the state is locked: a queue has a lock of its own, under which it raises signals.
        drop(self.tell(partitions));
        if is_lost {
            self.spoil("partitions were lost to other members of the group");
            self.state().ownership.disown(partitions);
        }
        let given_up = |state: &State| state.ownership.is_given_up(partitions);
        let given_up = given_up(&self.wait_until(wait, given_up));
        let answered = (self.is_transactional() || !is_lost) && self.is_answered(wait);
        let went_well = is_lost || given_up && answered;
        if !went_well {
            // Its lane or the broker is stuck. What was written of them must not become good without their offsets.
            self.spoil("partitions went to other members of the group before their outputs were committed");
        }
        self.state().ownership.disown(partitions)
    }

    pub(super) fn tell(&self, partitions: &BTreeSet<u32>) -> Vec<Queue> {
        let mut state = self.state();
        state.signals.iter().for_each(|signal| signal.raise());
        state.ownership.tell(partitions)
    }

    /// Asks for a last commit, or for what was written to be undone, and waits for it; whether it came.
    fn is_answered(&self, wait: Duration) -> bool {
        self.state().asked = Asked::Yes;
        let left = std::mem::take(&mut self.wait_until(wait, |state| state.asked == Asked::No).asked);
        left == Asked::No
    }

    /// A commit is done, which answers what was asked for before it began.
    pub(super) fn answered(&self) {
        let mut state = self.state();
        if state.asked == Asked::Begun {
            state.asked = Asked::No;
        }
        drop(state);
        self.changed.notify_all();
    }

    /// What is to be committed.
    pub(super) fn take_settled(&self) -> BTreeMap<u32, i64> {
        self.state().ownership.take_settled()
    }

    /// A commit of these failed.
    pub(super) fn put_back(&self, offsets: impl Iterator<Item = (u32, i64)>) {
        self.state().ownership.put_back(offsets);
    }

    /// What is to be assigned once more, from where the group has committed.
    pub(super) fn take_again(&self) -> BTreeSet<u32> {
        self.state().ownership.take_again()
    }

    /// These could not be assigned now.
    pub(super) fn put_back_again(&self, partitions: BTreeSet<u32>) {
        self.state().ownership.put_back_again(partitions);
    }

    /// All that this member has.
    pub(super) fn all_partitions(&self) -> BTreeSet<u32> {
        self.state().ownership.all()
    }

    // --- for transactions ---

    /// Of what lanes show as settled that which was not undone since.
    pub(super) fn counting(&self, settled: &BTreeMap<u32, Settled>) -> BTreeMap<u32, Settled> {
        let state = self.state();
        let counts = |(_, settled): &(&u32, &Settled)| state.ownership.counts(settled.epoch);
        settled.iter().filter(counts).map(|(partition, settled)| (*partition, *settled)).collect()
    }

    /// True if all of these are still this member's.
    pub(super) fn has<'s>(&self, mut settled: impl Iterator<Item = (&'s u32, &'s Settled)>) -> bool {
        let state = self.state();
        settled.all(|(partition, settled)| state.ownership.has(*partition, settled.epoch))
    }

    /// The lanes give up all that they have, and begin nothing until [`Shared::assign_again`].
    pub(super) fn hold(&self) {
        let mut state = self.state();
        state.signals.iter().for_each(|signal| signal.raise());
        let unbegun = state.ownership.hold();
        drop(state);
        drop(unbegun);
    }

    /// Lets the thread in the group assign everything once more.
    pub(super) fn assign_again(&self) {
        self.state().ownership.assign_again();
    }

    // --- for the lanes ---

    /// What changed for a lane, with the queues of what it begins.
    pub(super) fn changes(&self, lane: usize) -> Result<(Changes, Vec<(Owned, Queue)>), ConnectError> {
        let mut state = self.state();
        if let Some(error) = state.error.take() {
            return Err(error);
        }
        let News { revoked, assigned } = state.ownership.news(lane);
        let begun = assigned.iter().map(|(owned, _)| *owned).collect();
        Ok((Changes { revoked, assigned: begun }, assigned))
    }

    /// True if this is still the latest time that the partition came.
    pub(super) fn is_current(&self, owned: &Owned) -> bool {
        self.state().ownership.has(owned.partition, owned.epoch)
    }

    /// A lane has given up what came before everything was held; what came since.
    pub(super) fn reset(&self, lane: usize, owned: &[Owned]) -> Vec<Owned> {
        let kept = self.state().ownership.reset(lane, owned);
        self.changed.notify_all();
        kept
    }

    /// True if what a lane has just taken is its own.
    pub(super) fn took(&self, taken: &[Owned]) -> bool {
        let is_own = self.state().ownership.took(taken);
        if !is_own {
            self.spoil("a partition went and came back while it was read");
        }
        is_own
    }

    /// A lane has given partitions up.
    pub(super) fn released(&self, lane: usize, partitions: &[u32]) {
        self.state().ownership.released(lane, partitions);
        self.changed.notify_all();
    }

    /// A lane reads no more.
    pub(super) fn ended(&self, lane: usize) {
        let unbegun = self.state().ownership.ended(lane);
        drop(unbegun);
        self.changed.notify_all();
    }
}

#[cfg(test)]
#[path = "group_tests.rs"]
mod tests;
