//! Writes messages to a topic. They are sent in the background, and count as written when the broker has acknowledged them.

use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::config::{ClientConfig, FromClientConfigAndContext};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::message::{Header, Message as _, OwnedHeaders};
use rdkafka::producer::{BaseRecord, DeliveryResult, Producer, ProducerContext, ThreadedProducer};

use super::client::{self, Noted};
use super::context::Context;
use super::transactions::{KafkaTransactions, Spoiled};
use super::turn::Turn;
use super::{failed, size};
use crate::batch::{Batch, Metadata, Payloads, row_number};
use crate::checkpoint::SinkState;
use crate::config::KafkaStream;
use crate::connect::{ConnectError, Sink, Writer, Written};
use crate::crash;

/// So much of a lane may be on its way; a batch may go beyond it.
const CROWD_MESSAGES: usize = 20_000;
const CROWD_BYTES: usize = 16 << 20;
/// How long a broker may be silent when everything is to be acknowledged, and where the client has no room for more.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long at the end of a run, when the lanes have waited already.
const LAST_WORD: Duration = Duration::from_secs(2);
/// Of a message on its way beside its key, headers and payload; more than it is.
const OVERHEAD_BYTES: usize = 512;

pub(super) type Client = Arc<ThreadedProducer<Context<Deliveries>>>;

/// What becomes of messages.
#[derive(Default)]
pub(super) struct Deliveries {
    /// Where messages are written in transactions: a message that is given up is written again in the next one.
    spoiled: Option<Arc<Spoiled>>,
    /// Each message is sent in a request of its own.
    alone: bool,
    /// The first message that was given up. It is asked for by whoever flushes: to the client that message is done with, too.
    given_up: OnceLock<KafkaError>,
}

impl Deliveries {
    pub(super) fn of_transactions(spoiled: &Arc<Spoiled>, alone: bool) -> Self {
        Self { spoiled: Some(Arc::clone(spoiled)), alone, given_up: OnceLock::new() }
    }
}

impl ProducerContext for Context<Deliveries> {
    type DeliveryOpaque = Arc<Ticket>;

    fn delivery(&self, delivered: &DeliveryResult<'_>, ticket: Arc<Ticket>) {
        match delivered {
            Ok(_) => ticket.one_arrived(),
            Err((error, message)) => {
                if let Some(spoiled) = &self.own.spoiled {
                    // Those that are thrown away are so because the reason is known.
                    let is_purged = matches!(
                        error.rdkafka_error_code(),
                        Some(RDKafkaErrorCode::PurgeQueue | RDKafkaErrorCode::PurgeInflight)
                    );
                    if !is_purged {
                        spoiled.note(&error.to_string());
                    }
                    if error.rdkafka_error_code() == Some(RDKafkaErrorCode::MessageSizeTooLarge) {
                        let bytes = bytes_of(message.payload_len(), message.key_len());
                        spoiled.refuse(message.topic(), self.own.alone.then_some(bytes));
                    }
                    return ticket.one_arrived();
                }
                self.own.given_up.get_or_init(|| error.clone());
                ticket.inbox.fail(error.clone());
            }
        }
    }
}

/// How large a message without headers is.
fn bytes_of(payload: usize, key: usize) -> usize {
    payload + key + OVERHEAD_BYTES
}

/// A batch on its way.
pub(super) struct Ticket {
    /// None if nobody waits for it.
    number: Option<u64>,
    messages: u32,
    bytes: usize,
    /// Messages that are not acknowledged, nor given up.
    open: AtomicU32,
    inbox: Arc<Inbox>,
}

impl Ticket {
    fn one_arrived(&self) {
        self.arrived(1);
    }

    fn arrived(&self, messages: u32) {
        if self.open.fetch_sub(messages, Ordering::AcqRel) == messages {
            crash::point("kafka-acknowledged");
            self.inbox.arrive(self);
        }
    }
}

/// Where the acknowledgements of a lane arrive.
#[derive(Default)]
struct Inbox {
    arrivals: Mutex<Arrivals>,
    arrived: Condvar,
    messages: AtomicUsize,
    bytes: AtomicUsize,
}

#[derive(Default)]
struct Arrivals {
    numbers: Vec<u64>,
    failed: Option<KafkaError>,
}

impl Inbox {
    fn arrivals(&self) -> MutexGuard<'_, Arrivals> {
        self.arrivals.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn send(&self, ticket: &Ticket) {
        self.messages.fetch_add(ticket.messages as usize, Ordering::AcqRel);
        self.bytes.fetch_add(ticket.bytes, Ordering::AcqRel);
    }

    fn arrive(&self, ticket: &Ticket) {
        self.messages.fetch_sub(ticket.messages as usize, Ordering::AcqRel);
        self.bytes.fetch_sub(ticket.bytes, Ordering::AcqRel);
        self.arrivals().numbers.extend(ticket.number);
        self.arrived.notify_all();
    }

    fn fail(&self, error: KafkaError) {
        self.arrivals().failed.get_or_insert(error);
        self.arrived.notify_all();
    }
}

pub(super) struct KafkaSink {
    topic: Arc<Topic>,
    /// Present where a message goes to the partition of its metadata.
    turn: Option<Turn>,
}

/// What the writers of the lanes share.
struct Topic {
    stream: String,
    settings: KafkaStream,
    noted: Arc<Noted>,
    most_bytes: Arc<AtomicUsize>,
    way: Way,
}

/// What messages are written with.
enum Way {
    Alone(Client),
    /// With all other topics of the run.
    Together(Arc<KafkaTransactions>),
}

impl KafkaSink {
    pub(super) fn open(stream: &str, settings: &KafkaStream) -> Result<Self, ConnectError> {
        let noted = Arc::new(Noted::default());
        let failed = |error: &KafkaError| failed(stream, settings, "connect to", error, noted.take());
        let connect = |config: &ClientConfig| {
            let context = Context::new(&noted, settings.oauth_token.as_ref(), Deliveries::default());
            ThreadedProducer::from_config_and_context(config, context).map_err(|error| failed(&error))
        };
        let mut config = client::producer(settings);
        let mut producer = connect(&config)?;
        client::partitions(producer.client(), &settings.topic, &noted, || ()).map_err(|error| failed(&error))?;
        let most_bytes = size::most_bytes(settings);
        if most_bytes != size::DEFAULT_BYTES {
            size::limit(&mut config, most_bytes);
            producer = connect(&config)?;
        }
        Ok(Self::with(stream, settings, noted, Arc::new(most_bytes.into()), Way::Alone(Arc::new(producer))))
    }

    /// A topic that is written in transactions. All topics of them have one client, which sends no more than is its default.
    pub(super) fn in_transactions(
        stream: &str,
        settings: &KafkaStream,
        transactions: &Arc<KafkaTransactions>,
    ) -> Result<Self, ConnectError> {
        let noted = Arc::new(Noted::default());
        let known = transactions.knows(&settings.topic);
        known.map_err(|error| failed(stream, settings, "connect to", &error, noted.take()))?;
        let most_bytes = transactions.most_bytes(&settings.topic);
        Ok(Self::with(stream, settings, noted, most_bytes, Way::Together(Arc::clone(transactions))))
    }

    fn with(stream: &str, settings: &KafkaStream, noted: Arc<Noted>, most_bytes: Arc<AtomicUsize>, way: Way) -> Self {
        let (stream, settings) = (stream.to_owned(), settings.clone());
        Self { topic: Arc::new(Topic { stream, settings, noted, most_bytes, way }), turn: None }
    }

    /// The same, but a message goes to the partition of its metadata, and nobody else writes so meanwhile.
    pub(super) fn pinned(self, turn: Turn) -> Self {
        Self { turn: Some(turn), ..self }
    }
}

impl Sink for KafkaSink {
    fn writer(&self) -> Box<dyn Writer> {
        Box::new(KafkaWriter {
            topic: Arc::clone(&self.topic),
            inbox: Arc::default(),
            next: 0,
            pinned: self.turn.is_some(),
        })
    }

    fn finish(&self) -> Result<(), ConnectError> {
        self.topic.flush(LAST_WORD)
    }

    fn sync(&self) -> Result<Option<SinkState>, ConnectError> {
        self.topic.flush(PATIENCE).map(|()| None)
    }

    /// What is called done is acknowledged.
    fn secure(&self) -> Result<(), ConnectError> {
        Ok(())
    }
}

impl Topic {
    fn flush(&self, timeout: Duration) -> Result<(), ConnectError> {
        // What is written together is made good together, by a commit.
        let Way::Alone(producer) = &self.way else { return Ok(()) };
        producer.flush(timeout).map_err(|error| self.failed(&error))?;
        let given_up = producer.client().context().own.given_up.get();
        given_up.map_or(Ok(()), |error| Err(self.failed(error)))
    }

    /// What messages are written with now; none if they are to be written again.
    fn client(&self) -> Option<Client> {
        match &self.way {
            Way::Alone(producer) => Some(Arc::clone(producer)),
            Way::Together(transactions) => transactions.begin(),
        }
    }

    fn is_together(&self) -> bool {
        matches!(self.way, Way::Together(_))
    }

    /// The client has not taken a message.
    fn refused(&self, error: &KafkaError) -> Result<(), ConnectError> {
        match &self.way {
            Way::Alone(_) => Err(self.failed(error)),
            Way::Together(transactions) => {
                transactions.spoil(&error.to_string());
                Ok(())
            }
        }
    }

    fn failed(&self, error: &KafkaError) -> ConnectError {
        failed(&self.stream, &self.settings, "write", error, self.noted.take())
    }
}

struct KafkaWriter {
    topic: Arc<Topic>,
    inbox: Arc<Inbox>,
    /// Number of the next batch.
    next: u64,
    pinned: bool,
}

impl Writer for KafkaWriter {
    fn refuses(&self, message: Metadata<'_>, payload: &[u8]) -> Option<&'static str> {
        let headers: usize = message.headers().map(|(name, value)| name.len() + value.len() + 16).sum();
        let size = headers + bytes_of(payload.len(), message.key().map_or(0, <[u8]>::len));
        (size > self.topic.most_bytes.load(Ordering::Relaxed)).then_some(
            "it is larger than the topic's `max.message.bytes`, or `message.max.bytes` of the stream's properties",
        )
    }

    fn write(&mut self, batch: &Batch) -> Result<Written, ConnectError> {
        let Payloads::Bytes(column) = batch.payloads() else {
            unreachable!("the plan lets nothing but bytes into a sink")
        };
        if batch.is_empty() {
            return Ok(Written::Done);
        }
        let Some(client) = self.topic.client() else { return Ok(Written::Done) };
        crash::point("kafka-produce");
        let messages = row_number(batch.len());
        let bytes = column.iter().map(<[u8]>::len).sum();
        let number = (!self.topic.is_together()).then_some(self.next);
        let (open, inbox) = (AtomicU32::new(messages), Arc::clone(&self.inbox));
        let ticket = Arc::new(Ticket { number, messages, bytes, open, inbox });
        self.next += 1;
        self.inbox.send(&ticket);
        for (sent, (message, payload)) in (0..).zip(batch.each_metadata().zip(column.iter())) {
            if let Err(error) = self.send(&client, message, payload, &ticket) {
                self.topic.refused(&error)?;
                ticket.arrived(messages.saturating_sub(sent));
                break;
            }
        }
        crash::point("kafka-produced");
        Ok(number.map_or(Written::Done, Written::Later))
    }

    fn acknowledged(&mut self) -> Result<Vec<u64>, ConnectError> {
        let mut arrivals = self.inbox.arrivals();
        match &arrivals.failed {
            // Each time: nothing that was sent then will arrive.
            Some(error) => Err(self.topic.failed(error)),
            None => Ok(std::mem::take(&mut arrivals.numbers)),
        }
    }

    fn is_crowded(&self) -> bool {
        self.inbox.messages.load(Ordering::Acquire) >= CROWD_MESSAGES
            || self.inbox.bytes.load(Ordering::Acquire) >= CROWD_BYTES
    }

    fn wait(&self, timeout: Duration) {
        let has_room = || self.topic.is_together() && !self.is_crowded();
        let nothing = |arrivals: &mut Arrivals| arrivals.numbers.is_empty() && arrivals.failed.is_none() && !has_room();
        let waited = self.inbox.arrived.wait_timeout_while(self.inbox.arrivals(), timeout, nothing);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }
}

impl KafkaWriter {
    /// Hands a message to the client. Its queue has room for far more than what lanes may have on their way.
    fn send(&self, client: &Client, message: Metadata<'_>, payload: &[u8], ticket: &Arc<Ticket>) -> KafkaResult<()> {
        // The time is asked for only where it matters: this is done for every message.
        let mut until = None;
        let mut record = self.record(message, payload, ticket);
        while let Err((error, back)) = client.send(record) {
            let is_full = error.rdkafka_error_code() == Some(RDKafkaErrorCode::QueueFull);
            if !is_full || Instant::now() > *until.get_or_insert_with(|| Instant::now() + PATIENCE) {
                return Err(error);
            }
            std::thread::sleep(Duration::from_millis(1));
            record = back;
        }
        Ok(())
    }

    fn record<'m>(
        &'m self,
        message: Metadata<'m>,
        payload: &'m [u8],
        ticket: &Arc<Ticket>,
    ) -> BaseRecord<'m, [u8], [u8], Arc<Ticket>> {
        let mut record = BaseRecord::with_opaque_to(&self.topic.settings.topic, Arc::clone(ticket));
        // A deletion stays one. What a step made of it is a message like others.
        if !(message.is_tombstone() && payload.is_empty()) {
            record = record.payload(payload);
        }
        if let Some(key) = message.key() {
            record = record.key(key);
        }
        if self.pinned {
            record = record.partition(i32::try_from(message.partition()).unwrap_or_default());
        }
        // To the client zero is no time but that of sending.
        if message.timestamp_us() > 0 {
            record = record.timestamp(message.timestamp_us() / 1000);
        }
        if message.headers().len() > 0 {
            let none = OwnedHeaders::new_with_capacity(message.headers().len());
            let insert = |headers: OwnedHeaders, (key, value)| headers.insert(Header { key, value: Some(value) });
            record = record.headers(message.headers().fold(none, insert));
        }
        record
    }
}
