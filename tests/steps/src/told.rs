//! Payloads that tell how they were written, and some that can't be.

use std::any::type_name;

use oxflow::{Message, Payload};
use serde::ser::{Error, SerializeStruct};
use serde::{Deserialize, Serialize, Serializer};

use crate::Word;

/// A text and the way in which it left Rust: as an `object`, or as `text`.
#[derive(Clone, Debug, Deserialize, Payload)]
pub struct Told {
    pub text: String,
    #[serde(default)]
    #[allow(dead_code, reason = "it is written anew")]
    pub way: String,
}

impl Serialize for Told {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let way = if type_name::<S>().contains("python") { "object" } else { "text" };
        let mut fields = serializer.serialize_struct("Told", 2)?;
        fields.serialize_field("text", &self.text)?;
        assert_ne!("panic", self.text, "it breaks");
        if self.text == "unwritable" {
            return Err(S::Error::custom("it has no words"));
        }
        fields.serialize_field("way", way)?;
        fields.end()
    }
}

/// How it left Rust; `unwritable` can't, and `panic` panics on the way out.
#[oxflow::function]
fn told(msg: Message<Told>) -> Told {
    msg.take().0
}

/// Each word, and how it left Rust.
#[oxflow::function]
fn told_by_word(msg: Message<Told>) -> Vec<Told> {
    let (told, _) = msg.take();
    told.text.split(' ').map(|word| Told { text: word.to_owned(), way: String::new() }).collect()
}

/// One by the count; of a count of zero it has no JSON but `null`.
#[oxflow::function]
fn inverse(msg: Message<Word>) -> f64 {
    1.0 / msg.payload().count as f64
}
