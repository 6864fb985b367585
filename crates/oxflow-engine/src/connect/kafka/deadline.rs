//! Calls into the client that may never come back.

use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};

/// When calls that are answered by "later" or by nothing are given up.
#[derive(Clone, Copy)]
pub(super) struct Deadline {
    until: Instant,
}

impl Deadline {
    pub(super) fn after(patience: Duration) -> Self {
        Self { until: Instant::now() + patience }
    }

    fn left(self) -> Duration {
        self.until.saturating_duration_since(Instant::now())
    }

    /// Calls again while the same call may go well later. A call that never comes back is waited for without end. Nothing is
    /// called after the deadline.
    pub(super) fn repeat(self, call: impl Fn() -> KafkaResult<()>) -> KafkaResult<()> {
        let mut ended = Err(KafkaError::Flush(RDKafkaErrorCode::OperationTimedOut));
        while !self.left().is_zero() {
            ended = call();
            if !ended.as_ref().is_err_and(is_retriable) {
                break;
            }
        }
        ended
    }

    /// Calls on a thread of its own, which is left behind at the deadline with what it holds, until the call comes back.
    /// None if it was.
    pub(super) fn call(self, call: impl FnOnce() -> KafkaResult<()> + Send + 'static) -> Option<KafkaResult<()>> {
        let (send, ended) = mpsc::sync_channel(1);
        let run = move || {
            // Nobody may be waiting any more.
            let _ = send.send(call());
        };
        match thread::Builder::new().name("oxflow-kafka-call".to_owned()).spawn(run) {
            Ok(_) => ended.recv_timeout(self.left()).ok(),
            Err(_) => Some(Err(KafkaError::Global(RDKafkaErrorCode::CriticalSystemResource))),
        }
    }
}

/// True if the same call may go well later.
pub(super) fn is_retriable(error: &KafkaError) -> bool {
    match error {
        KafkaError::Transaction(error) => error.is_retriable(),
        // The client flushes before it commits.
        KafkaError::Flush(code) => *code == RDKafkaErrorCode::OperationTimedOut,
        _ => false,
    }
}
