//! Whether a request is repeated, and when.

use std::time::Duration;

use http::{HeaderMap, Method};

use crate::error::FetchError;
use crate::limits::Limits;
use crate::request::Response;

/// No wait is longer.
const LONGEST: Duration = Duration::from_secs(60);

/// Whether doing it twice is doing it once.
pub(crate) fn is_idempotent(method: &Method, headers: &HeaderMap) -> bool {
    method.is_idempotent() || headers.contains_key("idempotency-key")
}

/// How long to wait before attempt number `attempt + 1`, or none if there is no such attempt. `part`, from 0 to 1, spreads those
/// that failed together.
pub(crate) fn wait(
    limits: &Limits,
    attempt: u32,
    idempotent: bool,
    outcome: &Result<Response, FetchError>,
    part: f64,
) -> Option<Duration> {
    if attempt > limits.retries || !may_help(outcome, idempotent) {
        return None;
    }
    let told = outcome.as_ref().ok().and_then(|response| response.header("retry-after")?.trim().parse().ok());
    let doubled = limits.backoff.saturating_mul(1u32.checked_shl(attempt - 1).unwrap_or(u32::MAX)).min(LONGEST);
    Some(told.map_or_else(|| doubled.mul_f64(0.5 + part / 2.0), Duration::from_secs).min(LONGEST))
}

fn may_help(outcome: &Result<Response, FetchError>, idempotent: bool) -> bool {
    match outcome {
        Ok(response) => response.status == 429 || (idempotent && matches!(response.status, 502..=504)),
        Err(FetchError::Resolve { .. } | FetchError::Connect { .. } | FetchError::Tls { .. }) => true,
        Err(FetchError::Timeout { .. } | FetchError::Protocol { .. }) => idempotent,
        Err(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bytes::Bytes;
    use http::HeaderMap;

    use super::wait;
    use crate::{FetchError, Limits, Response};

    type Outcome = Result<Response, FetchError>;

    #[expect(clippy::unnecessary_wraps, reason = "it is an outcome")]
    fn status(status: u16, after: Option<&'static str>) -> Outcome {
        let mut headers = HeaderMap::new();
        if let Some(after) = after {
            headers.insert("retry-after", after.parse().unwrap());
        }
        Ok(Response { status, headers, body: Bytes::new(), url: String::new() })
    }

    fn limits() -> Limits {
        Limits { retries: 3, backoff: Duration::from_millis(100), ..Limits::default() }
    }

    #[test]
    fn waits_double_and_are_spread() {
        let waits = |part| [1, 2, 3].map(|attempt| wait(&limits(), attempt, true, &status(503, None), part).unwrap());
        assert_eq!([100, 200, 400].map(Duration::from_millis), waits(1.0));
        assert_eq!([50, 100, 200].map(Duration::from_millis), waits(0.0));
        assert_eq!(None, wait(&limits(), 4, true, &status(503, None), 1.0));
    }

    #[test]
    fn a_server_says_when_up_to_a_minute() {
        assert_eq!(Some(Duration::from_secs(2)), wait(&limits(), 1, true, &status(429, Some("2")), 0.0));
        assert_eq!(Some(Duration::from_secs(60)), wait(&limits(), 1, true, &status(503, Some("86400")), 0.0));
        assert_eq!(Some(Duration::from_millis(50)), wait(&limits(), 1, true, &status(503, Some("Wed, 21 Oct")), 0.0));
    }

    #[test]
    fn what_may_have_been_done_is_not_done_again() {
        let may = |outcome, idempotent| wait(&limits(), 1, idempotent, &outcome, 0.0).is_some();
        let late = || Err(FetchError::Timeout { after: Duration::ZERO });
        let refused = || Err(FetchError::Connect { host: String::new(), source: std::io::Error::other("refused") });
        assert_eq!([true, true, true], [may(late(), true), may(refused(), true), may(status(504, None), true)]);
        assert_eq!([false, true, false], [may(late(), false), may(refused(), false), may(status(504, None), false)]);
        assert_eq!([true, true], [may(status(429, None), true), may(status(429, None), false)]);
        assert_eq!([false, false], [may(status(404, None), true), may(status(500, None), true)]);
    }
}
