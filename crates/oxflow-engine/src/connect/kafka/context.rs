//! What librdkafka calls back whatever a client does: to say what went wrong, and for a token.

use std::error::Error;
use std::sync::Arc;

use rdkafka::client::{ClientContext, OAuthToken};
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::ConsumerContext;
use rdkafka::error::KafkaError;

use super::client::Noted;
use super::token;
use crate::config::TokenSource;

/// Of a client; `own` is what is called back for its own work.
pub(super) struct Context<T> {
    noted: Arc<Noted>,
    tokens: Option<TokenSource>,
    pub(super) own: T,
}

/// What a consumer that is in no group has of its own.
pub(super) struct Alone;

impl ConsumerContext for Context<Alone> {}

impl<T> Context<T> {
    pub(super) fn new(noted: &Arc<Noted>, tokens: Option<&TokenSource>, own: T) -> Self {
        Self { noted: Arc::clone(noted), tokens: tokens.cloned(), own }
    }
}

impl<T: Send + Sync + 'static> ClientContext for Context<T> {
    const ENABLE_REFRESH_OAUTH_TOKEN: bool = true;

    fn generate_oauth_token(&self, _: Option<&str>) -> Result<OAuthToken, Box<dyn Error>> {
        token::token(self.tokens.as_ref())
    }

    fn log(&self, _level: RDKafkaLogLevel, _facility: &str, message: &str) {
        self.noted.note(message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.noted.error(&error, reason);
    }
}
