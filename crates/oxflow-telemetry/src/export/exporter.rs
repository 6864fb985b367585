//! Sends batches, again and again if need be.

use std::time::{Duration, Instant, SystemTime};

use super::answer::Answer;
use super::backend::{Backend, Body};
use super::client::{Client, TransportError};
use super::retry::Tries;
use crate::batch::Batch;
use crate::id;
use crate::queue::{Queue, Settled};
use crate::scope::Resource;
use crate::signal::Signal;

/// Sends the batches of one sink, one after the other.
#[derive(Debug)]
pub(crate) struct Exporter {
    backend: Backend,
    signal: Signal,
    client: Client,
}

/// A batch that was sent, or given up, and what was said last.
#[derive(Debug)]
pub(crate) struct Sent {
    pub(crate) settled: Settled,
    pub(crate) problem: Option<String>,
}

impl Exporter {
    pub(crate) fn new(backend: &Backend, signal: Signal) -> Self {
        Self { backend: backend.clone(), signal, client: backend.client() }
    }

    /// Sends a batch, again and again if need be.
    pub(crate) async fn send(&mut self, batch: Batch, resource: &Resource, queue: &Queue) -> Sent {
        let records = batch.records();
        let body = self.backend.body(&batch, resource);
        // What waits for an answer is the body alone.
        drop(batch);
        match body {
            Ok(body) => self.deliver(&body, records, queue).await,
            Err(error) => lost(records, error.to_string()),
        }
    }

    async fn deliver(&mut self, body: &Body, records: u64, queue: &Queue) -> Sent {
        let mut tries = Tries::new(self.backend.retry(), Instant::now());
        loop {
            let Some(timeout) = self.timeout(queue) else { return lost(records, "the process ends".to_owned()) };
            let answer = self.ask(body, timeout).await;
            match tries.again(&answer, Instant::now(), queue.stop(), id::fraction()) {
                Some(wait) => pause(wait, queue).await,
                None => return sent(&answer, records),
            }
        }
    }

    /// How long a request may take now; none if there is no time left.
    fn timeout(&self, queue: &Queue) -> Option<Duration> {
        let most = self.backend.timeout();
        let Some(stop) = queue.stop() else { return Some(most) };
        let left = stop.saturating_duration_since(Instant::now());
        (!left.is_zero()).then(|| left.min(most))
    }

    async fn ask(&mut self, body: &Body, timeout: Duration) -> Answer {
        let request = match self.backend.request(self.signal, body, SystemTime::now()) {
            Ok(request) => request,
            Err(error) => return Answer::Refused { why: error.to_string() },
        };
        match self.client.send(request, timeout).await {
            Ok(reply) => self.backend.answer(&reply, SystemTime::now()),
            // Somebody is there, and slow: worth another try up to the end.
            Err(error @ TransportError::Slow(_)) => Answer::Busy { after: None, why: error.to_string() },
            Err(error) => Answer::Unreachable { why: error.to_string() },
        }
    }
}

fn lost(records: u64, why: String) -> Sent {
    Sent { settled: Settled { undelivered: records, ..Settled::default() }, problem: Some(why) }
}

/// Waits; not longer than the end allows, should it come meanwhile.
async fn pause(wait: Duration, queue: &Queue) {
    const STEP: Duration = Duration::from_millis(50);
    let until = Instant::now() + wait;
    loop {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() || queue.stop().is_some() {
            return;
        }
        tokio::time::sleep(left.min(STEP)).await;
    }
}

fn sent(answer: &Answer, records: u64) -> Sent {
    let settled = match answer {
        Answer::Taken { rejected, .. } => {
            let refused = records.min(*rejected);
            Settled { delivered: records - refused, refused, undelivered: 0 }
        }
        Answer::Refused { .. } => Settled { refused: records, ..Settled::default() },
        Answer::Busy { .. } | Answer::Unreachable { .. } => Settled { undelivered: records, ..Settled::default() },
    };
    let is_lost = settled.refused + settled.undelivered > 0;
    Sent { settled, problem: is_lost.then(|| answer.why().to_owned()) }
}
