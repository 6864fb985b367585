//! Decides when a batch of messages closes: after so many messages, bytes, or so much time since its first message.

use std::time::Duration;

use crate::plan::Limits;

/// The open batch of one batching step.
#[derive(Debug)]
pub struct Window {
    limits: Limits,
    messages: u64,
    bytes: u64,
    /// When the open batch closes at the latest.
    deadline: Option<Duration>,
}

impl Window {
    /// An empty batch.
    pub fn new(limits: Limits) -> Self {
        Self { limits, messages: 0, bytes: 0, deadline: None }
    }

    /// Adds a message of `size` bytes at time `now`; true if the batch closes with it.
    pub fn add(&mut self, size: u64, now: Duration) -> bool {
        if self.messages == 0 {
            self.deadline = self.limits.time_ms.map(|time| now + Duration::from_millis(time));
        }
        self.messages += 1;
        self.bytes += size;
        let full = self.limits.messages.is_some_and(|limit| self.messages >= limit)
            || self.limits.bytes.is_some_and(|limit| self.bytes >= limit);
        if full {
            self.close();
        }
        full
    }

    /// True if the time of the open batch is over; it is closed then.
    pub fn expire(&mut self, now: Duration) -> bool {
        let over = self.deadline.is_some_and(|deadline| deadline <= now);
        if over {
            self.close();
        }
        over
    }

    /// When [`Window::expire`] wants to be asked again.
    pub fn deadline(&self) -> Option<Duration> {
        self.deadline
    }

    /// Ends the open batch.
    pub fn close(&mut self) {
        self.messages = 0;
        self.bytes = 0;
        self.deadline = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Adds messages given as `(time in ms, bytes)`; compares which of them closed a batch.
    #[track_caller]
    fn check(expected: &[bool], limits: Limits, messages: &[(u64, u64)]) {
        let mut window = Window::new(limits);
        let closed: Vec<bool> = messages
            .iter()
            .map(|(time, size)| {
                let now = Duration::from_millis(*time);
                window.expire(now);
                window.add(*size, now)
            })
            .collect();
        assert_eq!(expected, closed);
    }

    #[test]
    fn closes_with_the_last_message_of_the_size() {
        let limits = Limits { messages: Some(2), ..Limits::default() };
        check(&[false, true, false, true], limits, &[(0, 1); 4]);
    }

    #[test]
    fn closes_with_the_message_that_reaches_the_bytes() {
        let limits = Limits { messages: Some(100), bytes: Some(10), ..Limits::default() };
        check(&[false, true, true, false], limits, &[(0, 4), (0, 6), (0, 12), (0, 1)]);
    }

    #[test]
    fn time_counts_from_the_first_message() {
        let mut window = Window::new(Limits { time_ms: Some(100), ..Limits::default() });
        assert!(!window.expire(Duration::from_millis(500)));
        window.add(1, Duration::from_millis(500));
        assert_eq!(Some(Duration::from_millis(600)), window.deadline());
        assert!(!window.expire(Duration::from_millis(599)));
        assert!(window.expire(Duration::from_millis(600)));
        assert!(!window.expire(Duration::from_millis(700)));
    }
}
