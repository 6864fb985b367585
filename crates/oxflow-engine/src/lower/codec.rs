//! Which codec a Rust run reads or writes at an end of a pipeline, and what is said where its type has no such codec.

use oxflow::abi;

use crate::diagnostic::{Code, Diagnostic};
use crate::extension::PayloadType;
use crate::plan::{Codec, Step};

/// A payload type, and the module that it is in.
#[derive(Clone, Debug)]
pub(super) struct Home {
    pub(super) payload: PayloadType,
    pub(super) module: String,
}

impl Home {
    /// The codec of a parser or serializer, as the type has it.
    pub(super) fn codec(&self, wanted: Codec, step: &Step) -> Result<abi::Codec, Diagnostic> {
        let codec = match wanted {
            // A type that makes bytes of its own needs no word for it.
            Codec::Json => return Ok(self.payload.codec()),
            Codec::MsgPack => abi::Codec::MsgPack,
            Codec::Protobuf => abi::Codec::Protobuf,
        };
        if self.payload.has(codec) {
            return Ok(codec);
        }
        let word = wanted.word();
        let module = if self.module.is_empty() { "its module".into() } else { format!("the module `{}`", self.module) };
        let (code, why, fix) = if self.payload.lacks(codec) {
            (
                Code::CodecNotBuilt,
                format!("{module} was built without the feature `{word}` of `oxflow`"),
                format!(
                    "write `oxflow = {{ version = \"..\", features = [\"{word}\"] }}` in its Cargo.toml, and build it anew"
                ),
            )
        } else {
            let fix = match wanted {
                Codec::Protobuf => "derive `prost::Message` for it and write `#[payload(codec = \"protobuf\")]` on it",
                _ => "derive `Payload` for it, or use another codec",
            };
            (Code::BadCodec, format!("`{}` in {module} has no {}", self.payload.name(), wanted.name()), fix.into())
        };
        let message = format!("step `{}` has no codec `{word}` for `{}`", step.name, self.payload.name());
        Err(Diagnostic::new(code, message).at(step.place.clone()).because(why).fix(fix))
    }
}

/// The module that a function or type is in, of `package.module:name`.
pub(super) fn module_of(name: &str) -> String {
    name.split_once(':').map_or(name, |(module, _)| module).to_owned()
}

/// A serializer of protobuf after what no Rust function gave.
pub(super) fn no_message(step: &Step) -> Diagnostic {
    Diagnostic::new(Code::BadCodec, format!("serializer `{}` cannot write protobuf here", step.name))
        .at(step.place.clone())
        .because("it writes what a Rust step gives, and what arrives was made or gathered after that")
        .fix("put it behind the Rust step, with nothing but filters and routes between, or use another codec")
}
