//! URLs of streams: `file:PATH`, `kafka://HOST:PORT/TOPIC`, `stdin:`, `stdout:`, `memory:`, `null:`.

use std::str::FromStr;

use crate::config::{Compression, GroupProtocol, KafkaStream, OffsetReset};
use crate::diagnostic::{Code, Diagnostic, did_you_mean};

/// Where a stream is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StreamUrl {
    /// JSON Lines in files; a source may name several by a pattern. `.gz` and `.zst` are compressed.
    File {
        /// Path or pattern.
        path: String,
        /// For a sink: keep what is there. `?append=true`.
        append: bool,
    },
    /// A topic of Kafka.
    Kafka(Box<KafkaStream>),
    /// Lines of standard input.
    Stdin,
    /// Lines of standard output.
    Stdout,
    /// A sink: kept for the caller.
    Memory,
    /// A sink: thrown away.
    Null,
}

/// A URL that names no stream.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{shown} is not the URL of a stream")]
pub struct MalformedUrl {
    /// The scheme alone: what comes after it may hold a password.
    pub shown: String,
    /// What is wrong with it.
    pub why: String,
}

const SCHEMES: [&str; 6] = ["file", "kafka", "stdin", "stdout", "memory", "null"];

impl FromStr for StreamUrl {
    type Err = MalformedUrl;

    fn from_str(url: &str) -> Result<Self, MalformedUrl> {
        let Some((scheme, rest)) = url.split_once(':') else {
            let why = "a file is written `file:PATH`".to_owned();
            return Err(MalformedUrl { shown: "a text without a scheme".to_owned(), why });
        };
        let malformed = |why: String| MalformedUrl { shown: format!("`{scheme}:...`"), why };
        match (scheme, rest) {
            ("file", _) => file(rest).map_err(malformed),
            ("kafka", _) => kafka(rest).map(|kafka| Self::Kafka(Box::new(kafka))).map_err(malformed),
            ("stdin", "") => Ok(Self::Stdin),
            ("stdout", "") => Ok(Self::Stdout),
            ("memory", "") => Ok(Self::Memory),
            ("null", "") => Ok(Self::Null),
            _ if SCHEMES.contains(&scheme) => Err(malformed(format!("nothing may follow `{scheme}:`"))),
            _ => Err(malformed(unknown(scheme))),
        }
    }
}

fn file(rest: &str) -> Result<StreamUrl, String> {
    let (path, options) = rest.split_once('?').unwrap_or((rest, ""));
    if path.is_empty() {
        return Err("`file:` needs a path".to_owned());
    }
    let append = match options {
        "" | "append=false" => false,
        "append=true" => true,
        other => {
            let name = other.split_once('=').map_or(other, |(name, _)| name);
            return Err(format!("`file:` knows `?append=true` and `?append=false`, not this use of `{name}`"));
        }
    };
    Ok(StreamUrl::File { path: path.to_owned(), append })
}

/// `//HOST:PORT[,HOST:PORT]/TOPIC[?NAME=VALUE&..]`. Names are those of the configuration; passwords have no place here.
fn kafka(rest: &str) -> Result<KafkaStream, String> {
    let (place, options) = rest.split_once('?').unwrap_or((rest, ""));
    let parts = place.strip_prefix("//").and_then(|place| place.split_once('/'));
    let Some((servers, topic)) = parts.filter(|(servers, topic)| !servers.is_empty() && !topic.is_empty()) else {
        return Err("a topic is written `kafka://HOST:PORT/TOPIC`".to_owned());
    };
    if servers.contains('@') {
        return Err("a password does not stand in a URL, but in `streams.NAME.kafka.properties`".to_owned());
    }
    let mut stream = KafkaStream::new(servers, topic);
    for option in options.split('&').filter(|option| !option.is_empty()) {
        let (name, value) = option.split_once('=').unwrap_or((option, ""));
        match name {
            "group" => stream.group = Some(value.to_owned()),
            "auto_offset_reset" => stream.auto_offset_reset = word(name, value, &RESETS)?,
            "group_protocol" => stream.group_protocol = word(name, value, &PROTOCOLS)?,
            "compression" => stream.compression = word(name, value, &COMPRESSIONS)?,
            _ => return Err(unknown_option(name)),
        }
    }
    Ok(stream)
}

const OPTIONS: [&str; 4] = ["group", "auto_offset_reset", "group_protocol", "compression"];
const RESETS: [(&str, OffsetReset); 3] =
    [("earliest", OffsetReset::Earliest), ("latest", OffsetReset::Latest), ("error", OffsetReset::Error)];
const PROTOCOLS: [(&str, GroupProtocol); 2] =
    [("classic", GroupProtocol::Classic), ("consumer", GroupProtocol::Consumer)];
const COMPRESSIONS: [(&str, Compression); 5] = [
    ("none", Compression::None),
    ("gzip", Compression::Gzip),
    ("snappy", Compression::Snappy),
    ("lz4", Compression::Lz4),
    ("zstd", Compression::Zstd),
];

/// The value that a word stands for.
fn word<T: Copy>(name: &str, value: &str, words: &[(&str, T)]) -> Result<T, String> {
    words.iter().find(|(word, _)| *word == value).map(|(_, meant)| *meant).ok_or_else(|| {
        let known = words.iter().map(|(word, _)| format!("`{word}`")).collect::<Vec<_>>().join(", ");
        format!("`{name}` is one of {known}")
    })
}

fn unknown_option(name: &str) -> String {
    let guess = did_you_mean(name, OPTIONS).map(|known| format!(", did you mean `{known}`?")).unwrap_or_default();
    format!("`kafka:` knows no `{name}`{guess}")
}

fn unknown(scheme: &str) -> String {
    let guess = did_you_mean(scheme, SCHEMES).map(|known| format!(", did you mean `{known}:`?")).unwrap_or_default();
    format!("there is no scheme `{scheme}:`{guess}")
}

impl MalformedUrl {
    /// The error for people, of the stream that the URL was meant for.
    pub fn diagnostic(&self, stream: &str) -> Diagnostic {
        Diagnostic {
            code: Code::BadUrl,
            message: format!("stream `{stream}`: {self}"),
            place: None,
            why: Some(self.why.clone()),
            fix: Some(
                "write `file:PATH`, `kafka://HOST:PORT/TOPIC`, `stdin:`, `stdout:`, `memory:` or `null:`".to_owned(),
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(expected: Result<StreamUrl, &str>, url: &str) {
        assert_eq!(expected.map_err(str::to_owned), url.parse::<StreamUrl>().map_err(|malformed| malformed.why));
    }

    fn path(path: &str, append: bool) -> StreamUrl {
        StreamUrl::File { path: path.to_owned(), append }
    }

    #[test]
    fn files_have_a_path_and_options() {
        check(Ok(path("in.jsonl", false)), "file:in.jsonl");
        check(Ok(path("/data/*.jsonl.gz", false)), "file:/data/*.jsonl.gz");
        check(Ok(path("out.jsonl", true)), "file:out.jsonl?append=true");
        check(Err("`file:` needs a path"), "file:");
        check(Err("`file:` knows `?append=true` and `?append=false`, not this use of `apend`"), "file:a?apend=true");
    }

    #[test]
    fn topics_have_brokers_a_name_and_options() {
        let topic = KafkaStream::new("a:1,b:2", "metrics");
        let grouped = KafkaStream {
            group: Some("g".to_owned()),
            auto_offset_reset: OffsetReset::Latest,
            compression: Compression::Zstd,
            ..topic.clone()
        };
        check(Ok(StreamUrl::Kafka(Box::new(topic))), "kafka://a:1,b:2/metrics");
        check(
            Ok(StreamUrl::Kafka(Box::new(grouped))),
            "kafka://a:1,b:2/metrics?group=g&auto_offset_reset=latest&compression=zstd",
        );
        check(Err("a topic is written `kafka://HOST:PORT/TOPIC`"), "kafka://a:1");
        check(Err("a topic is written `kafka://HOST:PORT/TOPIC`"), "kafka:a:1/metrics");
        check(Err("`kafka:` knows no `groop`, did you mean `group`?"), "kafka://a:1/metrics?groop=g");
        check(Err("`group_protocol` is one of `classic`, `consumer`"), "kafka://a:1/metrics?group_protocol=eager");
    }

    #[test]
    fn the_others_stand_alone() {
        check(Ok(StreamUrl::Stdin), "stdin:");
        check(Ok(StreamUrl::Null), "null:");
        check(Err("nothing may follow `stdout:`"), "stdout:x");
    }

    #[test]
    fn a_wrong_scheme_is_named_with_a_guess() {
        check(Err("there is no scheme `flie:`, did you mean `file:`?"), "flie:in.jsonl");
        check(Err("a file is written `file:PATH`"), "in.jsonl");
    }

    #[test]
    fn an_error_shows_nothing_but_the_scheme() {
        let text = |url: &str| url.parse::<StreamUrl>().map_err(|malformed| malformed.diagnostic("in").render());
        for url in ["kafka://user:hunter2@host", "hunter2", "stdin:hunter2", "file:a?token=hunter2"] {
            assert!(matches!(text(url), Err(text) if !text.contains("hunter2")), "{url}");
        }
    }
}
