//! Exactly once: outputs and offsets in one transaction, which all lanes write into.
//!
//! One producer a process, so that a transaction is begun and ended in one place. What spoils it is noted when it is found out, by
//! whoever finds it: a lane, the thread in the group, the client. Nothing is decided then; at the next commit it is undone
//! instead, and everything is read again from where the group has committed, which the broker knows best.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::process;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use rdkafka::config::{ClientConfig, FromClientConfigAndContext};
use rdkafka::consumer::{Consumer, ConsumerGroupMetadata};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::producer::{Producer, PurgeConfig, ThreadedProducer};
use rdkafka::{Offset, TopicPartitionList};

use super::client::{self, Noted};
use super::context::Context;
use super::deadline::{Deadline, is_retriable};
use super::group::Shared;
use super::sink::{Client, Deliveries, KafkaSink};
use super::{failed, membership, size};
use crate::config::KafkaStream;
use crate::connect::{ConnectError, Settled, Sink, TransactionSettings, Transactions};
use crate::crash;

/// How long the client may take for a call before it is called again.
const TURN: Duration = Duration::from_secs(5);
/// How long a call may be without an answer, if a transaction may take that long.
const STUCK: Duration = Duration::from_secs(15);
/// How long a broker may be silent when a client begins.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long a client that failed for good is left alone before it is made anew.
const REST: Duration = Duration::from_secs(1);
/// So many transactions in a row may be undone. More are no accident.
const SETBACKS: u32 = 10;

pub(super) struct KafkaTransactions {
    group: Arc<Shared>,
    settings: TransactionSettings,
    config: ClientConfig,
    /// What each topic takes at most.
    most_bytes: BTreeMap<String, Arc<AtomicUsize>>,
    noted: Arc<Noted>,
    spoiled: Arc<Spoiled>,
    state: Mutex<State>,
}

struct State {
    /// None after it failed for good.
    client: Option<Client>,
    /// A transaction is.
    open: bool,
    committed: BTreeMap<u32, Settled>,
    /// Transactions that were undone since the last good one.
    setbacks: u32,
    /// Each message is sent alone.
    alone: bool,
}

/// Why what was written can't become good, if it can't.
#[derive(Debug, Default)]
pub(super) struct Spoiled {
    why: Mutex<Option<String>>,
    /// For each topic of which the broker found messages too large the least one that was sent alone, if one was.
    refused: Mutex<BTreeMap<String, Option<usize>>>,
}

impl Spoiled {
    /// The first reason is told; the others follow from it.
    pub(super) fn note(&self, why: &str) {
        self.reason().get_or_insert_with(|| why.to_owned());
    }

    fn reason(&self) -> MutexGuard<'_, Option<String>> {
        self.why.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The broker found a message too large for its topic, or others that were sent along; how large it was, if none were.
    pub(super) fn refuse(&self, topic: &str, alone: Option<usize>) {
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        let least = refused.entry(topic.to_owned()).or_default();
        *least = (*least).into_iter().chain(alone).min();
    }

    fn take_refused(&self) -> BTreeMap<String, Option<usize>> {
        std::mem::take(&mut self.refused.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn is_set(&self) -> bool {
        self.reason().is_some()
    }
}

/// What became of a call.
enum Called {
    Done,
    /// The transaction can only be undone.
    Spoiled,
    /// The client can do nothing more.
    Fatal,
}

impl KafkaTransactions {
    /// Asks the broker for its place among the producers. Who had it before, under the same name, writes nothing any more.
    pub(super) fn open(group: &Arc<Shared>, settings: &TransactionSettings) -> Result<Self, ConnectError> {
        let mut config = client::producer(&settings.settings);
        let millis = settings.timeout.as_millis().to_string();
        config
            .set("transactional.id", identity(group))
            .set("transaction.timeout.ms", &millis)
            // What is given up is read again. It must not be waited for longer than the transaction may take.
            .set("message.timeout.ms", &millis);
        // One client writes all of them.
        let sent = size::sent(&settings.settings);
        let taken = |topic: &KafkaStream| (topic.topic.clone(), Arc::new(size::most_bytes(topic).min(sent).into()));
        let most_bytes = settings.topics.iter().map(taken).collect();
        let state = State { client: None, open: false, committed: BTreeMap::new(), setbacks: 0, alone: false };
        let opened = Self {
            group: Arc::clone(group),
            settings: settings.clone(),
            config,
            most_bytes,
            noted: Arc::default(),
            spoiled: Arc::default(),
            state: Mutex::new(state),
        };
        let client = opened.connect(false).map_err(|error| opened.failed("connect to", &error))?;
        opened.state().client = Some(client);
        Ok(opened)
    }

    fn connect(&self, alone: bool) -> KafkaResult<Client> {
        let mut config = self.config.clone();
        let least = self.most_bytes.values().map(|bytes| bytes.load(Ordering::Acquire)).min();
        if let Some(least) = least.filter(|least| *least < size::DEFAULT_BYTES) {
            // Messages that go together must be no more than the topic that takes least.
            config.set("batch.size", least.to_string());
        }
        if alone {
            config.set("batch.num.messages", "1");
        }
        let deliveries = Deliveries::of_transactions(&self.spoiled, alone);
        let context = Context::new(&self.noted, self.settings.settings.oauth_token.as_ref(), deliveries);
        let client = ThreadedProducer::from_config_and_context(&config, context)?;
        Deadline::after(PATIENCE).repeat(|| client.init_transactions(TURN))?;
        Ok(Arc::new(client))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks the broker for a topic.
    pub(super) fn knows(&self, topic: &str) -> KafkaResult<()> {
        let client = self.state().client.clone().ok_or(KafkaError::Canceled)?;
        client::partitions(client.client(), topic, &self.noted, || ()).map(drop)
    }

    /// Most bytes of a message for a topic: what it takes, but no more than the client sends. It may become less.
    pub(super) fn most_bytes(&self, topic: &str) -> Arc<AtomicUsize> {
        let known = self.most_bytes.get(topic).map(Arc::clone);
        known.unwrap_or_else(|| Arc::new(size::sent(&self.settings.settings).into()))
    }

    /// Finds out what topics take since the broker found messages too large; whether the client is to be made anew. A topic may
    /// have been made narrower, which the broker tells. If it doesn't, each message goes alone from then on, and what is refused
    /// then is the measure.
    fn narrow(&self, state: &mut State) -> bool {
        let refused = self.spoiled.take_refused();
        let takes = |topic: &str, bytes: usize| {
            self.most_bytes.get(topic).is_some_and(|taken| bytes < taken.fetch_min(bytes, Ordering::AcqRel))
        };
        let of = |topic: &&KafkaStream| refused.contains_key(&topic.topic);
        let told = |topic: &KafkaStream| takes(&topic.topic, size::most_bytes(topic));
        let is_told = self.settings.topics.iter().filter(of).map(told).fold(false, |told, less| told | less);
        let is_new = !refused.is_empty() && !is_told && !state.alone;
        if !is_told {
            for (topic, bytes) in refused.iter().filter_map(|(topic, bytes)| Some((topic, (*bytes)?))) {
                takes(topic, bytes.saturating_sub(1));
            }
        }
        state.alone |= is_new;
        is_told || is_new
    }

    pub(super) fn spoil(&self, why: &str) {
        self.spoiled.note(why);
    }

    /// What a lane may write with; none if it would be in vain.
    pub(super) fn begin(&self) -> Option<Client> {
        if self.spoiled.is_set() {
            return None;
        }
        let mut state = self.state();
        let client = state.client.clone()?;
        if !state.open {
            if let Err(error) = client.begin_transaction() {
                self.spoil(&error.to_string());
                return None;
            }
            state.open = true;
        }
        Some(client)
    }

    /// Ends a transaction with the offsets. For a coordinator of the group that isn't available when it is asked for, the client
    /// waits until some connection comes or goes, whatever time it was given (confluentinc/librdkafka#5456). A client that is
    /// left behind is fenced by the one that takes its place, so that nothing of what it still does becomes good.
    fn end(&self, client: &Client, moved: &BTreeMap<u32, Settled>, member: ConsumerGroupMetadata) -> Called {
        let (asked, offsets) = (Arc::clone(client), self.listed(moved));
        let deadline = Deadline::after(self.settings.timeout.min(STUCK));
        let ended = deadline.call(move || {
            deadline.repeat(|| asked.send_offsets_to_transaction(&offsets, &member, TURN))?;
            crash::point("kafka-offsets");
            deadline.repeat(|| asked.commit_transaction(TURN))
        });
        if ended.is_none() {
            // It must not note about the next transaction what became of this one.
            client.purge(PurgeConfig::default().queue().inflight());
        }
        self.judge(ended)
    }

    /// After a broker was away there may never be an answer: then the client is made anew, which ends what it left open, one way
    /// or the other.
    fn judge(&self, ended: Option<KafkaResult<()>>) -> Called {
        let error = match ended {
            Some(Ok(())) => return Called::Done,
            Some(Err(error)) => error,
            None => {
                self.spoil("the broker took no offsets: the coordinator of the group didn't answer");
                return Called::Fatal;
            }
        };
        self.spoil(&error.to_string());
        let is_fatal = matches!(&error, KafkaError::Transaction(error) if error.is_fatal());
        if is_fatal || is_retriable(&error) { Called::Fatal } else { Called::Spoiled }
    }

    fn try_commit(&self, settled: &BTreeMap<u32, Settled>) -> bool {
        if self.spoiled.is_set() {
            return false;
        }
        let mut state = self.state();
        // A lane that is still in a step when everything is undone shows what it had settled before.
        let mut moved = self.group.counting(settled);
        moved.retain(|partition, settled| state.committed.get(partition) != Some(settled));
        if moved.is_empty() && !state.open {
            return true;
        }
        let Some(member) = self.membership(&moved).filter(|_| !moved.is_empty()) else {
            // Where nothing was written, what was only read is read by somebody else now.
            if state.open {
                self.spoil("partitions went to other members of the group before their outputs were committed");
            }
            return !state.open;
        };
        let Some(client) = state.client.clone() else { return false };
        if !state.open {
            if let Err(error) = client.begin_transaction() {
                self.spoil(&error.to_string());
                return false;
            }
            state.open = true;
        }
        crash::point("kafka-commit");
        match self.end(&client, &moved, member) {
            Called::Done => {
                crash::point("kafka-committed");
                (state.open, state.setbacks) = (false, 0);
                state.committed.extend(moved);
                true
            }
            Called::Spoiled => false,
            Called::Fatal => {
                state.client = None;
                false
            }
        }
    }

    /// By what the broker tells us from those who are no longer in the group; none if we are not, or if some of this isn't ours.
    fn membership(&self, moved: &BTreeMap<u32, Settled>) -> Option<ConsumerGroupMetadata> {
        let reader = self.group.reader()?;
        // In this order: whoever was thrown out since has lost its partitions before it can come in again.
        let member = reader.group_metadata()?;
        let is_ours = membership::is_member(&reader) && self.group.has(moved.iter());
        is_ours.then_some(member)
    }

    fn listed(&self, moved: &BTreeMap<u32, Settled>) -> TopicPartitionList {
        let offsets = moved.iter().map(|(partition, settled)| (*partition, Offset::Offset(settled.position.offset)));
        self.group.topics.listed(offsets)
    }

    fn abort(&self, state: &mut State) -> Result<(), ConnectError> {
        if let Some(client) = state.client.clone().filter(|_| state.open)
            && Deadline::after(TURN).repeat(|| client.abort_transaction(TURN)).is_err()
        {
            state.client = None;
        }
        state.open = false;
        while state.client.is_none() {
            // Its place is asked for again, which undoes what it left open.
            thread::sleep(REST);
            match self.connect(state.alone) {
                Ok(client) => state.client = Some(client),
                Err(error) if is_hopeless(&error) || self.settings.drain.load(Ordering::Acquire) => {
                    return Err(self.failed("write", &error));
                }
                Err(_) => {}
            }
        }
        Ok(())
    }

    fn failed(&self, doing: &'static str, error: &KafkaError) -> ConnectError {
        failed(&self.settings.stream, &self.settings.settings, doing, error, self.noted.take())
    }

    /// Too many transactions were undone.
    fn hopeless(&self, why: &str) -> ConnectError {
        ConnectError::Broker {
            stream: self.settings.stream.clone(),
            doing: "commit what was written to",
            topic: self.settings.settings.topic.clone(),
            why: format!("{SETBACKS} transactions in a row were undone, the last one because of this: {why}"),
            fix: "raise `run.transaction_timeout_ms` if a step takes that long; give each worker a `run.instance_id` of its own",
        }
    }
}

impl Transactions for KafkaTransactions {
    fn sink(self: Arc<Self>, stream: &str, settings: &KafkaStream) -> Result<Box<dyn Sink>, ConnectError> {
        Ok(Box::new(KafkaSink::in_transactions(stream, settings, &self)?))
    }

    fn commit(&self, settled: &BTreeMap<u32, Settled>) -> Result<bool, ConnectError> {
        let is_good = self.try_commit(settled);
        if is_good {
            self.group.answered();
        }
        Ok(is_good)
    }

    fn undo(&self, forgotten: &mut dyn FnMut()) -> Result<(), ConnectError> {
        let mut state = self.state();
        state.setbacks += u32::from(state.open);
        self.abort(&mut state)?;
        if self.narrow(&mut state) {
            state.client = None;
            self.abort(&mut state)?;
        }
        let setbacks = state.setbacks;
        drop(state);
        self.group.hold();
        forgotten();
        let why = self.spoiled.reason().take().unwrap_or_default();
        if setbacks > SETBACKS {
            return Err(self.hopeless(&why));
        }
        self.group.assign_again();
        self.group.answered();
        Ok(())
    }
}

/// A name that no other process has: with the same one, two workers would fence each other. One that stays lets a worker that
/// comes again undo at once what it had left open.
fn identity(group: &Shared) -> String {
    let name = group.settings.group.as_deref().unwrap_or_default();
    match &group.instance {
        Some(instance) => format!("oxflow-{name}-{instance}"),
        None => format!("oxflow-{name}-{}-{:016x}", process::id(), RandomState::new().build_hasher().finish()),
    }
}

/// True if a person has to do something.
fn is_hopeless(error: &KafkaError) -> bool {
    use rdkafka::error::RDKafkaErrorCode as Code;
    matches!(error, KafkaError::ClientConfig(..) | KafkaError::ClientCreation(_))
        || matches!(
            error.rdkafka_error_code(),
            Some(
                Code::TransactionalIdAuthorizationFailed
                    | Code::ClusterAuthorizationFailed
                    | Code::InvalidTransactionTimeout
                    | Code::UnsupportedVersion
            )
        )
}
