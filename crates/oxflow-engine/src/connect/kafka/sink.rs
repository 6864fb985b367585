//! Writes messages to a topic. They are sent in the background, and count as written when the broker has acknowledged them.

use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::client::ClientContext;
use rdkafka::config::{FromClientConfigAndContext, RDKafkaLogLevel};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseRecord, DeliveryResult, Producer, ProducerContext, ThreadedProducer};

use super::client::{self, Noted};
use super::failed;
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
/// What librdkafka sends at most, unless it is told otherwise.
const MESSAGE_MAX_BYTES: usize = 1_000_000;

/// What librdkafka calls back.
struct Context {
    noted: Arc<Noted>,
    /// The first message that was given up. It is asked for by whoever flushes: to the client that message is done with, too.
    given_up: OnceLock<KafkaError>,
}

impl ClientContext for Context {
    fn log(&self, _level: RDKafkaLogLevel, _facility: &str, message: &str) {
        self.noted.note(message);
    }

    fn error(&self, _error: KafkaError, reason: &str) {
        self.noted.note(reason);
    }
}

impl ProducerContext for Context {
    type DeliveryOpaque = Arc<Ticket>;

    fn delivery(&self, delivered: &DeliveryResult<'_>, ticket: Arc<Ticket>) {
        match delivered {
            Ok(_) => ticket.one_arrived(),
            Err((error, _)) => {
                self.given_up.get_or_init(|| error.clone());
                ticket.inbox.fail(error.clone());
            }
        }
    }
}

/// A batch on its way.
struct Ticket {
    number: u64,
    messages: u32,
    bytes: usize,
    /// Messages that are not acknowledged, nor given up.
    open: AtomicU32,
    inbox: Arc<Inbox>,
}

impl Ticket {
    fn one_arrived(&self) {
        if self.open.fetch_sub(1, Ordering::AcqRel) == 1 {
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
        self.arrivals().numbers.push(ticket.number);
        self.arrived.notify_all();
    }

    fn fail(&self, error: KafkaError) {
        self.arrivals().failed.get_or_insert(error);
        self.arrived.notify_all();
    }
}

pub(super) struct KafkaSink {
    topic: Arc<Topic>,
}

/// What the writers of the lanes share.
struct Topic {
    stream: String,
    settings: KafkaStream,
    noted: Arc<Noted>,
    most_bytes: usize,
    producer: ThreadedProducer<Context>,
}

impl KafkaSink {
    pub(super) fn open(stream: &str, settings: &KafkaStream) -> Result<Self, ConnectError> {
        let noted = Arc::new(Noted::default());
        let failed = |error: &KafkaError| failed(stream, settings, "connect to", error, noted.take());
        let context = Context { noted: Arc::clone(&noted), given_up: OnceLock::new() };
        let producer = ThreadedProducer::from_config_and_context(&client::producer(settings), context);
        let producer = producer.map_err(|error| failed(&error))?;
        client::partitions(producer.client(), &settings.topic).map_err(|error| failed(&error))?;
        let own = settings.properties.get("message.max.bytes").and_then(|bytes| bytes.reveal().parse().ok());
        let most_bytes = own.unwrap_or(MESSAGE_MAX_BYTES);
        let (stream, settings) = (stream.to_owned(), settings.clone());
        Ok(Self { topic: Arc::new(Topic { stream, settings, noted, most_bytes, producer }) })
    }
}

impl Sink for KafkaSink {
    fn writer(&self) -> Box<dyn Writer> {
        Box::new(KafkaWriter { topic: Arc::clone(&self.topic), inbox: Arc::default(), next: 0 })
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
        self.producer.flush(timeout).map_err(|error| self.failed(&error))?;
        let given_up = self.producer.client().context().given_up.get();
        given_up.map_or(Ok(()), |error| Err(self.failed(error)))
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
}

impl Writer for KafkaWriter {
    fn refuses(&self, message: Metadata<'_>, payload: &[u8]) -> Option<&'static str> {
        let headers: usize = message.headers().map(|(name, value)| name.len() + value.len() + 16).sum();
        let size = payload.len() + message.key().map_or(0, <[u8]>::len) + headers + OVERHEAD_BYTES;
        (size > self.topic.most_bytes).then_some("it is larger than `message.max.bytes` of the stream's properties")
    }

    fn write(&mut self, batch: &Batch) -> Result<Written, ConnectError> {
        let Payloads::Bytes(column) = batch.payloads() else {
            unreachable!("the plan lets nothing but bytes into a sink")
        };
        if batch.is_empty() {
            return Ok(Written::Done);
        }
        crash::point("kafka-produce");
        let messages = row_number(batch.len());
        let bytes = column.iter().map(<[u8]>::len).sum();
        let (number, open, inbox) = (self.next, AtomicU32::new(messages), Arc::clone(&self.inbox));
        let ticket = Arc::new(Ticket { number, messages, bytes, open, inbox });
        self.next += 1;
        self.inbox.send(&ticket);
        for (message, payload) in batch.each_metadata().zip(column.iter()) {
            self.send(message, payload, &ticket).map_err(|error| self.topic.failed(&error))?;
        }
        crash::point("kafka-produced");
        Ok(Written::Later(number))
    }

    fn acknowledged(&mut self) -> Result<Vec<u64>, ConnectError> {
        let mut arrivals = self.inbox.arrivals();
        match arrivals.failed.take() {
            Some(error) => Err(self.topic.failed(&error)),
            None => Ok(std::mem::take(&mut arrivals.numbers)),
        }
    }

    fn is_crowded(&self) -> bool {
        self.inbox.messages.load(Ordering::Acquire) >= CROWD_MESSAGES
            || self.inbox.bytes.load(Ordering::Acquire) >= CROWD_BYTES
    }

    fn wait(&self, timeout: Duration) {
        let nothing = |arrivals: &mut Arrivals| arrivals.numbers.is_empty() && arrivals.failed.is_none();
        let waited = self.inbox.arrived.wait_timeout_while(self.inbox.arrivals(), timeout, nothing);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }
}

impl KafkaWriter {
    /// Hands a message to the client. Its queue has room for far more than what lanes may have on their way.
    fn send(&self, message: Metadata<'_>, payload: &[u8], ticket: &Arc<Ticket>) -> KafkaResult<()> {
        let until = Instant::now() + PATIENCE;
        let mut record = self.record(message, payload, ticket);
        while let Err((error, back)) = self.topic.producer.send(record) {
            let is_full = error.rdkafka_error_code() == Some(RDKafkaErrorCode::QueueFull);
            if !is_full || Instant::now() > until {
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
        let mut record = BaseRecord::with_opaque_to(&self.topic.settings.topic, Arc::clone(ticket)).payload(payload);
        if let Some(key) = message.key() {
            record = record.key(key);
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
