//! Functions that log, make spans and measure.

use std::thread;

use oxflow::Message;
use oxflow::metrics::{Counter, Gauge, Histogram};
use tracing::{debug, error, info, info_span, trace, warn};

use crate::Word;

static WORDS: Counter = Counter::new("words", "words that were looked at");
static LENGTHS: Histogram = Histogram::new("lengths", "how long they are");
static LAST_COUNT: Gauge = Gauge::new("last_count", "count of the last one");
static BY_LETTER: Counter = Counter::new("by_letter", "words by their first letter");

/// Records at every level, a field of each kind, and measures.
#[oxflow::function]
fn record(msg: Message<Word>) -> Word {
    let (word, _) = msg.take();
    measure(&word);
    let span = info_span!("look", text = word.text, length = tracing::field::Empty);
    span.in_scope(|| {
        tracing::Span::current().record("length", word.text.len());
        trace!("as small as can be");
        debug!(count = word.count, "seen");
        info!(text = word.text, flag = true, share = 0.5, big = u64::MAX, shown = ?word.tags, "100 %");
        warn!(target: "test_steps::elsewhere", "{} is odd", word.text);
        log::warn!("by log: {}", word.text);
    });
    error!("outside of the span");
    word
}

fn measure(word: &Word) {
    WORDS.add(1);
    #[expect(clippy::cast_precision_loss, reason = "the tests have small ones")]
    LAST_COUNT.set(word.count as f64);
    LENGTHS.record(f64::from(u32::try_from(word.text.len()).unwrap_or(u32::MAX)));
    let letter = word.text.get(..1).unwrap_or_default();
    BY_LETTER.add_with(1, &[("letter", letter)]);
}

/// A series of its own for each text: more than anybody keeps.
#[oxflow::function]
fn count_each(msg: Message<Word>) -> Word {
    BY_LETTER.add_with(1, &[("text", &msg.payload().text)]);
    msg.take().0
}

/// Panics within two spans if the word is `panic`, and then warns.
#[oxflow::function]
fn panic_in_span(msg: Message<Word>) -> Word {
    let (word, _) = msg.take();
    let _outer = info_span!("outer").entered();
    let _inner = info_span!("inner").entered();
    assert_ne!("panic", word.text, "the word was `panic`");
    warn!("{}", word.text);
    word
}

/// Leaves a span entered for good, and then warns.
#[oxflow::function]
fn leak_span(msg: Message<Word>) -> Word {
    let (word, _) = msg.take();
    warn!("{}", word.text);
    std::mem::forget(info_span!("left").entered());
    word
}

/// As many warnings as the count says.
#[oxflow::function]
fn warn_often(msg: Message<Word>) -> Word {
    let (word, _) = msg.take();
    for number in 0..word.count {
        warn!(number, "again");
    }
    word
}

/// Warns, counts and makes a span in a thread of its own.
#[oxflow::function]
fn warn_elsewhere(msg: Message<Word>) -> Word {
    let (word, _) = msg.take();
    let span = info_span!("lent");
    thread::scope(|scope| {
        scope.spawn(|| {
            WORDS.add(1);
            warn!("in another thread");
            span.in_scope(|| warn!("in another thread, in the span"));
        });
    });
    word
}

/// Where in a trace the function is.
#[oxflow::function]
fn traceparent(_: Message<Word>) -> String {
    oxflow::trace_context().map(|context| context.to_string()).unwrap_or_default()
}

/// The same work, with nothing recorded.
#[oxflow::function]
fn silent(msg: Message<Word>) -> Word {
    msg.take().0
}
