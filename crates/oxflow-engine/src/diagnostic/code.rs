//! The list of errors that oxflow knows.
//!
//! A code is a promise to those who search for it: it is never given a second meaning. Each has a page in `errors/`, which
//! is compiled in, so that `oxflow explain` works without a network.

use std::fmt;

use serde::{Serialize, Serializer};

/// Ties the name of each code to its id, its title and its page.
macro_rules! codes {
    ($($name:ident = $id:literal, $title:literal;)+) => {
        /// One kind of error.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Code {
            $(#[doc = concat!("`", $id, "`: ", $title, ".")] $name,)+
        }

        impl Code {
            /// All codes, in the order of their ids.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// The id, `OXF` and four digits.
            pub const fn id(self) -> &'static str {
                match self { $(Self::$name => $id),+ }
            }

            /// What the error is, in a few words.
            pub const fn title(self) -> &'static str {
                match self { $(Self::$name => $title),+ }
            }

            /// The page that explains it, Markdown.
            pub const fn page(self) -> &'static str {
                match self { $(Self::$name => include_str!(concat!("../../errors/", $id, ".md"))),+ }
            }
        }
    };
}

codes! {
    NameTwice = "OXF0101", "a name is used twice";
    NoSink = "OXF0102", "a branch does not end in a sink";
    BadName = "OXF0103", "a name is empty or malformed";
    BadLimits = "OXF0104", "the limits of a batch are impossible";
    BadReference = "OXF0105", "a function reference cannot be imported";
    NotAFunction = "OXF0106", "not a function that a step can call";
    BadRoutes = "OXF0107", "a routing table is impossible";
    NoPipeline = "OXF0108", "there is no pipeline at the target";
    NestedTooDeeply = "OXF0109", "a pipeline is nested too deeply";
    BadDefinition = "OXF0110", "the definition of a pipeline is wrong";
    NoPython = "OXF0111", "a step needs Python where there is none";
    EdgeMismatch = "OXF0201", "one step gives what the next does not take";
    ParserTakesBytes = "OXF0202", "a parser stands where no bytes arrive";
    SinkTakesBytes = "OXF0203", "a sink stands where no bytes arrive";
    FilterGivesBool = "OXF0204", "a filter function does not give a bool";
    RouteKeyMismatch = "OXF0205", "a routing function does not fit its keys";
    UnsupportedType = "OXF0206", "a payload type is not supported";
    WrongKind = "OXF0207", "a Rust function is of the wrong kind for its step";
    NotSerialisable = "OXF0208", "a serializer stands where nothing can be serialised";
    BadCodec = "OXF0209", "a codec is unknown or does not fit its type";
    ConfigUnreadable = "OXF0301", "a configuration cannot be read";
    UnknownKey = "OXF0302", "a configuration has an unknown key";
    InvalidValue = "OXF0303", "a configuration has an invalid value";
    MissingVariable = "OXF0304", "a variable or secret file is not there";
    NotInPipeline = "OXF0305", "a configuration names what the pipeline does not have";
    EndpointFailed = "OXF0306", "the endpoint of a run cannot be opened";
    StreamUnbound = "OXF0401", "a stream is not bound";
    BadUrl = "OXF0402", "a stream's URL is malformed";
    SourceFailed = "OXF0403", "a source cannot be opened or read";
    SinkFailed = "OXF0404", "a sink cannot be opened or written";
    CheckpointMismatch = "OXF0405", "a checkpoint cannot be used or written";
    TooLong = "OXF0407", "a message is too long";
    BrokerFailed = "OXF0408", "a broker cannot be reached or refuses something";
    StepFailed = "OXF0501", "a step failed";
    StepPanicked = "OXF0502", "a step panicked";
    Undecodable = "OXF0503", "a payload cannot be decoded";
    Unencodable = "OXF0504", "a result cannot be encoded";
    WrongResult = "OXF0505", "a step gave the wrong kind of value";
    NoRoute = "OXF0506", "no branch has the routing key";
    TooManyFailed = "OXF0507", "too many messages failed";
    WrongAbi = "OXF0601", "an extension was built for another version of oxflow";
    NotAnExtension = "OXF0602", "not an extension or function of oxflow";
    Unoptimised = "OXF0603", "an extension was built without optimisation";
    NotMade = "OXF0604", "a Rust function can't be made of its arguments";
    OutdatedPlan = "OXF0605", "a plan is older than the module of a Rust function";
    OutdatedModule = "OXF0606", "a module was built anew after it was imported";
    MixedBuilds = "OXF0607", "a pipeline has two builds of one module";
    CodecNotBuilt = "OXF0608", "an extension was built without a codec";
    BadProjectName = "OXF0701", "a name does not fit a project or function";
    InTheWay = "OXF0702", "what shall be made is there already";
    NoProject = "OXF0703", "a folder holds no project of oxflow";
    BadSchema = "OXF0704", "a schema cannot become types";
    MapJson = "OXF0801", "a source map is malformed";
    MapVersion = "OXF0802", "a source map is of another version";
    MapMappings = "OXF0803", "the mappings of a source map are malformed";
    MapReference = "OXF0804", "a source map refers to what it does not have";
    MapSection = "OXF0805", "a section of an index map is malformed";
    MapLimit = "OXF0806", "a source map is larger than the limits allow";
    IndexVersion = "OXF0807", "the index of a source map is of another format";
    IndexCorrupt = "OXF0808", "the index of a source map is damaged";
    MapField = "OXF0809", "a field of a source map beside its mappings is malformed";
    MapBundle = "OXF0810", "a RAM bundle can't be read";
    Internal = "OXF0901", "an internal error";
    BadAmount = "OXF1001", "a task or offer has an impossible amount";
    BadField = "OXF1002", "a task or offer lacks a field or has a wrong one";
    DuplicateName = "OXF1003", "two tasks or offers have one name";
    BadConstraint = "OXF1004", "a constraint of a task can't be read";
    BadMatcher = "OXF1005", "a matcher can't be made so";
    UnknownOffer = "OXF1006", "an offer or task is not there";
    ScoreFailed = "OXF1007", "a user's score failed";
    BadTaskDocument = "OXF1008", "a document of tasks can't be read";
    BadRequest = "OXF1101", "a request can't be sent as it is";
    NoResponse = "OXF1102", "a request has no response";
}

impl Code {
    /// What a finding of this code is called: all but those that stop nothing are errors.
    pub const fn severity(self) -> &'static str {
        match self {
            Self::Unoptimised | Self::OutdatedModule => "warning",
            _ => "error",
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.id())
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.id())
    }
}

/// The page of a code, given as the user types it.
pub fn explain(code: &str) -> Option<&'static str> {
    Code::ALL.iter().find(|known| known.id().eq_ignore_ascii_case(code.trim())).map(|known| known.page())
}

/// The ids of all codes, ascending.
pub fn codes() -> Vec<&'static str> {
    Code::ALL.iter().map(|code| code.id()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_ascend_and_none_is_used_twice() {
        assert!(codes().is_sorted_by(|left, right| left < right));
    }

    #[test]
    fn each_page_opens_with_its_id_and_title() {
        for code in Code::ALL {
            let heading = format!("# {code}: {}\n", code.title());
            assert!(code.page().starts_with(&heading), "errors/{code}.md does not start with `{}`", heading.trim());
        }
    }

    #[test]
    fn each_page_shows_an_example_and_says_how_to_mend_it() {
        for code in Code::ALL {
            assert!(code.page().contains("```"), "errors/{code}.md has no example");
            assert!(code.page().contains("## How to mend it"), "errors/{code}.md does not say how to mend it");
        }
    }

    #[test]
    fn a_code_is_found_in_any_case() {
        assert_eq!(Some(Code::EdgeMismatch.page()), explain(" oxf0201\n"));
        assert_eq!(None, explain("OXF9999"));
    }
}
