//! URLs of streams: `file:PATH`, `stdin:`, `stdout:`, `memory:`, `null:`.

use std::str::FromStr;

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

const SCHEMES: [&str; 5] = ["file", "stdin", "stdout", "memory", "null"];

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
            fix: Some("write `file:PATH`, `stdin:`, `stdout:`, `memory:` or `null:`".to_owned()),
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
