//! The payloads of `types` once more, handed over as JSON text. What is read and made directly must be the same.

use std::borrow::Cow;
use std::collections::BTreeMap;

use oxflow::{List, Message, Payload, Text, convert_via_json};
use serde::{Deserialize, Serialize};

use crate::types::{Choices, Containers, Flattened, Narrow, Open, Page, Pair, Place, Scalars, Sparse, Tree};

macro_rules! by_text {
    ($($name:ident: $wrapper:ident($type:ty)),+ $(,)?) => {$(
        #[derive(Serialize, Deserialize)]
        struct $wrapper($type);

        convert_via_json!($wrapper);

        #[oxflow::function]
        fn $name(msg: Message<$wrapper>) -> $wrapper {
            msg.take().0
        }
    )+};
}

by_text! {
    text_scalars: TextScalars(Scalars),
    text_containers: TextContainers(Containers),
    text_narrow: TextNarrow(Narrow),
    text_sparse: TextSparse(Sparse),
    text_choices: TextChoices(Choices),
    text_flattened: TextFlattened(Flattened),
    text_tree: TextTree(Tree),
    text_pair: TextPair(Pair),
    text_page: TextPage(Page<Place>),
    text_open: TextOpen(Open),
}

/// Lies in its message.
#[derive(Serialize, Deserialize, Payload)]
pub struct Lent<'a> {
    pub slice: &'a str,
    #[serde(borrow)]
    pub cow: Cow<'a, str>,
    #[serde(borrow)]
    pub text: Text<'a>,
    #[serde(borrow)]
    pub tags: BTreeMap<Text<'a>, Vec<Text<'a>>>,
}

/// Gives back what lies in the message.
#[oxflow::function]
fn same_lent<'a>(msg: Message<Lent<'a>>) -> Lent<'a> {
    msg.take().0
}

/// The same, after somebody removed the file of the name in `slice`.
#[oxflow::function]
fn lent_after_rendezvous<'a>(msg: Message<Lent<'a>>) -> Result<Lent<'a>, String> {
    crate::meet(msg.payload().slice)?;
    Ok(msg.take().0)
}

/// Panics while it is written, or while it is read.
#[derive(Payload)]
pub struct Touchy(String);

impl Serialize for Touchy {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        assert_ne!("out", self.0, "it breaks on its way out");
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Touchy {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        assert_ne!("in", text, "it breaks on its way in");
        Ok(Self(text))
    }
}

/// Gives back all of them.
#[oxflow::function]
fn same_touchies(msg: Message<List<Touchy>>) -> List<Touchy> {
    msg.take().0
}
