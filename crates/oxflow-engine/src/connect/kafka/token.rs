//! Tokens for OAUTHBEARER: from a file that somebody keeps new, or out of a program.
//!
//! librdkafka asks for the next one when four fifths of a token's time are over.

use std::error::Error;
use std::fs;
use std::io::Read as _;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rdkafka::client::OAuthToken;
use serde::Deserialize;

use crate::config::TokenSource;

/// How long a token counts that doesn't say it.
const UNSAID: Duration = Duration::from_secs(300);
/// How long a program may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long the output of a program that has ended may take.
const REST: Duration = Duration::from_secs(1);
/// More is no token.
const MOST_BYTES: u64 = 1 << 20;

/// A token that is good now.
pub(super) fn token(source: Option<&TokenSource>) -> Result<OAuthToken, Box<dyn Error>> {
    let source = source.ok_or("`oauth_token` of the stream says where tokens come from, and is not set")?;
    let text = match source {
        TokenSource::File(path) => {
            fs::read_to_string(path).map_err(|error| format!("`{}` can't be read: {error}", path.display()))?
        }
        TokenSource::Command(words) => printed(words)?,
    };
    let token = text.trim();
    if token.is_empty() || token.contains('\0') {
        return Err("what `oauth_token` gives is no token".into());
    }
    let claims = claims(token);
    Ok(OAuthToken {
        token: token.to_owned(),
        principal_name: claims.sub.unwrap_or_default(),
        lifetime_ms: claims.exp.map_or_else(unsaid, |seconds| milliseconds(Duration::try_from_secs_f64(seconds))),
    })
}

/// What a token says of itself, if it can be looked into.
#[derive(Default, Deserialize)]
struct Claims {
    sub: Option<String>,
    /// Seconds since 1970-01-01 UTC.
    exp: Option<f64>,
}

fn claims(token: &str) -> Claims {
    let middle = token.split('.').nth(1).and_then(|part| URL_SAFE_NO_PAD.decode(part.trim_end_matches('=')).ok());
    middle.and_then(|json| serde_json::from_slice(&json).ok()).unwrap_or_default()
}

fn unsaid() -> i64 {
    milliseconds(SystemTime::now().duration_since(UNIX_EPOCH).map(|now| now + UNSAID))
}

fn milliseconds<E>(time: Result<Duration, E>) -> i64 {
    time.ok().and_then(|time| i64::try_from(time.as_millis()).ok()).unwrap_or(i64::MAX)
}

/// What a program prints.
fn printed(words: &[String]) -> Result<String, Box<dyn Error>> {
    let [program, arguments @ ..] = words else { return Err("`oauth_token.command` is empty".into()) };
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped());
    let mut child = command.spawn().map_err(|error| format!("`{program}` can't be started: {error}"))?;
    let (says, heard) = mpsc::sync_channel(1);
    if let Some(output) = child.stdout.take() {
        thread::spawn(move || {
            let mut text = String::new();
            let read = output.take(MOST_BYTES).read_to_string(&mut text).map(|_| text);
            // Nobody waits any more if it took too long.
            drop(says.send(read));
        });
    }
    let succeeded = ended(&mut child)?;
    // What the program has started may have its output still.
    let text = heard.recv_timeout(REST).map_err(|_| format!("`{program}` has ended, and its output has not"))??;
    if succeeded { Ok(text) } else { Err(format!("`{program}`, which is to print a token, failed").into()) }
}

/// Waits for the end of a program, and ends one that takes too long.
fn ended(child: &mut Child) -> Result<bool, Box<dyn Error>> {
    let until = Instant::now() + PATIENCE;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status.success());
        }
        if Instant::now() > until {
            child.kill()?;
            child.wait()?;
            return Err(format!("the program that is to print a token took more than {} s", PATIENCE.as_secs()).into());
        }
        thread::sleep(Duration::from_millis(10));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(words: &[&str]) -> Result<OAuthToken, String> {
        let source = TokenSource::Command(words.iter().map(|word| (*word).to_owned()).collect());
        token(Some(&source)).map_err(|error| error.to_string())
    }

    #[test]
    fn a_token_says_whose_it_is_and_until_when() {
        let claims = URL_SAFE_NO_PAD.encode(r#"{"sub":"metrics","exp":1795000000.5}"#);
        let token = given(&["echo", &format!("e30.{claims}.sig")]).expect("a token");
        assert_eq!(("metrics", 1_795_000_000_500), (token.principal_name.as_str(), token.lifetime_ms));
        assert_eq!(format!("e30.{claims}.sig"), token.token);
    }

    #[test]
    fn a_token_that_cant_be_looked_into_is_good_for_a_while() {
        let soon = milliseconds(SystemTime::now().duration_since(UNIX_EPOCH));
        assert!(given(&["echo", "opaque"]).expect("a token").lifetime_ms > soon);
    }

    #[test]
    fn a_program_that_leaves_its_output_to_another_is_not_waited_for_for_ever() {
        let error = given(&["sh", "-c", "sleep 60 & echo token"]).map(drop);
        assert_eq!(Err("`sh` has ended, and its output has not".to_owned()), error);
    }

    #[test]
    fn a_program_that_fails_is_told_without_what_it_was_given() {
        assert_eq!(
            Err("`false`, which is to print a token, failed".to_owned()),
            given(&["false", "hunter2"]).map(drop)
        );
        assert_eq!(Err("what `oauth_token` gives is no token".to_owned()), given(&["true"]).map(drop));
    }
}
