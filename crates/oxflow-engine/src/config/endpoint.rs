//! Where a run tells how it goes.

use std::net::SocketAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Bounded;

/// Where a run answers `/health`, `/ready` and `/metrics` over HTTP.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EndpointConfig {
    /// Address and port, `127.0.0.1:9090`, or `0.0.0.0:9090` for every address of the machine.
    #[schemars(with = "String", example = "127.0.0.1:9090")]
    pub address: SocketAddr,
}

/// Seconds that a lane may carry messages without any of them coming further.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct StalledS(pub Bounded<1, 86_400>);

impl Default for StalledS {
    fn default() -> Self {
        Self(Bounded::new::<60>())
    }
}
