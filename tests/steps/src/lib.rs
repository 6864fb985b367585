//! A user's extension with a function of every kind. The tests build it as a user would.

mod by_text;
mod coded;
mod living;
mod made;
mod recorded;
mod told;
mod types;

use std::collections::{BTreeMap, HashMap};
use std::hint::black_box;
use std::sync::Mutex;
use std::time::{Duration, Instant};
use std::{fmt, fs, thread};

use oxflow::{Bytes, Message, Payload, convert_via_json, rust_function, score};
use serde::{Deserialize, Serialize, Serializer};

/// A counted word.
#[derive(Clone, Debug, Serialize, Deserialize, Payload)]
pub struct Word {
    pub text: String,
    pub count: i64,
    #[serde(default)]
    pub tags: HashMap<String, String>,
}

/// What is wrong with a word.
#[derive(Debug)]
pub struct BadWord(String);

impl fmt::Display for BadWord {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "`{}` is a bad word", self.0)
    }
}

rust_function!(
    /// Doubles the count.
    pub Double, Word, Word,
    |msg: Message<Word>| -> Word {
        let (word, _) = msg.take();
        Word { count: word.count * 2, ..word }
    }
);

/// Keeps words that were counted more than once.
#[oxflow::function]
fn is_frequent(msg: &Message<Word>) -> bool {
    msg.payload().count > 1
}

/// The same, taking the message by value.
#[oxflow::function]
fn is_frequent_by_value(msg: Message<Word>) -> bool {
    msg.take().0.count > 1
}

/// Fails on the word `bad`, panics on `panic`, and does what no machine can do on `overflow` and `bottomless`.
#[oxflow::function]
fn check(msg: Message<Word>) -> Result<Word, BadWord> {
    let (word, _) = msg.take();
    match word.text.as_str() {
        "bad" => Err(BadWord(word.text)),
        "panic" => panic!("the word was `panic`"),
        "overflow" => Ok(Word { count: i64::MAX + word.count, ..word }),
        "bottomless" => Ok(Word { count: bottomless(word.count), ..word }),
        _ => Ok(word),
    }
}

/// Calls itself until the stack is full.
fn bottomless(level: i64) -> i64 {
    if level == i64::MAX { level } else { black_box(bottomless(level + 1)) }
}

/// Fails on each word as often as its count says, and then lets it pass.
#[oxflow::function]
fn stubborn(msg: Message<Word>) -> Result<Word, BadWord> {
    static FAILED: Mutex<BTreeMap<String, i64>> = Mutex::new(BTreeMap::new());
    let (word, _) = msg.take();
    let mut failed = FAILED.lock().unwrap();
    let times = failed.entry(word.text.clone()).or_default();
    *times += 1;
    if *times > word.count { Ok(word) } else { Err(BadWord(word.text)) }
}

/// The same, as a filter.
#[oxflow::function]
fn stubborn_filter(msg: Message<Word>) -> Result<bool, BadWord> {
    stubborn(msg).map(|_| true)
}

/// A word for each letter.
#[oxflow::function]
fn letters(msg: Message<Word>) -> Vec<Word> {
    let (word, _) = msg.take();
    let letter = |letter: char| Word { text: letter.to_string(), ..word.clone() };
    word.text.chars().map(letter).collect()
}

/// A letter that cannot be written if it is a `b`.
#[derive(Deserialize)]
struct Fragile(String);

impl Serialize for Fragile {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        assert_ne!("b", self.0, "it breaks");
        serializer.serialize_str(&self.0)
    }
}

convert_via_json!(Fragile);

/// The letters of a word; some break on their way out.
#[oxflow::function]
fn fragile(msg: Message<Word>) -> Vec<Fragile> {
    msg.take().0.text.chars().map(|letter| Fragile(letter.to_string())).collect()
}

/// The word, unless it is short.
#[oxflow::function]
fn long_only(msg: Message<Word>) -> Option<Word> {
    let (word, _) = msg.take();
    (word.text.len() > 3).then_some(word)
}

/// Moves the text into the key and says so in a header.
#[oxflow::function]
fn key_by_text(msg: Message<Word>) -> Message<Word> {
    let key = msg.payload().text.clone().into_bytes();
    msg.with_key(key).with_headers([("keyed", "yes")])
}

/// Where the message comes from.
#[oxflow::function]
fn describe(msg: Message<Word>) -> Word {
    let origin = msg.origin();
    let text = format!("{} {} {}", origin.stream(), origin.partition(), origin.offset());
    Word { text, ..msg.take().0 }
}

/// `short`, `long`.
#[oxflow::function]
fn length_class(msg: &Message<Word>) -> String {
    if msg.payload().text.len() > 3 { "long" } else { "short" }.to_owned()
}

/// Raw bytes, reversed; no conversion trait is involved.
#[oxflow::function]
fn reverse(msg: Message<Bytes>) -> Bytes {
    let (bytes, _) = msg.take();
    bytes.iter().rev().copied().collect::<Vec<u8>>().into()
}

/// Takes the offer that has nearest to twice what the task needs of the first resource; panics at an offer of 13.
#[oxflow::function]
fn nearest_double(msg: Message<Bytes>) -> Bytes {
    score::each(msg.payload(), |task, free| {
        assert!((free[0] - 13.0).abs() > 0.5, "thirteen");
        (free[0] - 2.0 * task[0]).abs()
    })
}

/// Says that it runs, by a file of the word's name, and waits until somebody removes the file.
#[oxflow::function]
fn rendezvous(msg: Message<Word>) -> Result<Word, String> {
    let (word, _) = msg.take();
    meet(&word.text)?;
    Ok(word)
}

fn meet(path: &str) -> Result<(), String> {
    fs::write(path, b"").map_err(|error| error.to_string())?;
    let started = Instant::now();
    while fs::exists(path).unwrap_or(false) {
        if started.elapsed() > Duration::from_secs(20) {
            return Err("nobody came".to_owned());
        }
        thread::yield_now();
    }
    Ok(())
}

/// Never answers.
#[oxflow::function]
fn spin(_msg: Message<Word>) -> Word {
    loop {
        std::hint::spin_loop();
    }
}

/// All words of a batch as one.
#[oxflow::function]
fn join(msg: Message<Words>) -> Word {
    let (Words(words), _) = msg.take();
    let text = words.iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join(" ");
    Word { text, count: words.iter().map(|word| word.count).sum(), tags: HashMap::new() }
}

/// A batch of words.
#[derive(Serialize, Deserialize)]
struct Words(Vec<Word>);

convert_via_json!(Words);

/// A private struct that is not `Clone`; its filter takes it by value.
#[derive(Serialize, Deserialize)]
struct Plain {
    count: i64,
}

convert_via_json!(Plain);

/// A payload that may lie in another one.
#[derive(Clone, Debug, Serialize, Deserialize, Payload)]
pub struct Nest {
    #[serde(default)]
    pub inner: Option<Box<Nest>>,
}

rust_function!(IsPlain, Plain, bool, |msg: Message<Plain>| -> bool { msg.take().0.count == 1 });

oxflow::module!(test_steps);
