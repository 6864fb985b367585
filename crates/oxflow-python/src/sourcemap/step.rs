//! The step of a pipeline that symbolicates events, without the interpreter.

use std::path::PathBuf;

use oxflow::abi::Codec;
use oxflow::shape::Type;
use oxflow::{DecodeError, EncodeError, Message, Payload};
use oxflow_sourcemap::index::Opening;
use oxflow_sourcemap::{Error, MapFolder, SymbolCache, symbolicate_json};

/// JSON as it is written, read by the step alone.
struct Event(Vec<u8>);

impl Payload for Event {
    const CODEC: Codec = Codec::Json;
    type Borrowed<'a> = Self;

    fn name() -> &'static str {
        "Event"
    }

    fn shape() -> Type {
        Type::Any
    }

    fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        Ok(Self(bytes.to_vec()))
    }

    fn encode(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        out.extend_from_slice(&self.0);
        Ok(())
    }
}

struct Symbolicate(MapFolder);

/// Gives JSON with stack traces in it the places of the sources. Each lane has open maps of its own.
#[oxflow::function]
impl Symbolicate {
    #[expect(clippy::needless_pass_by_value, reason = "what a function is made of is handed over")]
    fn new(cache: PathBuf, max_bytes: u64, maps: Option<PathBuf>) -> Result<Self, Error> {
        // A service can't ask anew for what is damaged later, so all of an index is looked at when it is opened.
        let symbols = SymbolCache::new(&cache, max_bytes, Opening { verify: true })?;
        Ok(Self(MapFolder::new(maps, Some(symbols))))
    }

    fn call(&mut self, message: &Message<Event>) -> Result<Event, Error> {
        symbolicate_json(&message.payload().0, &mut self.0).map(Event)
    }
}
