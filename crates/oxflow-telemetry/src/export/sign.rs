//! Signatures of Alibaba Cloud's Simple Log Service. They have no clock of their own.

use std::fmt;
use std::time::SystemTime;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::{digest, hmac};

use crate::clock;

/// Who sends.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// Name of the access key.
    pub id: String,
    /// The access key; never shown.
    pub secret: String,
    /// Of the Security Token Service, with keys that it gave; never shown.
    pub token: Option<String>,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("id", &self.id).finish_non_exhaustive()
    }
}

/// How requests are signed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum SlsSignature {
    /// With HMAC-SHA1.
    #[default]
    V1,
    /// With HMAC-SHA256, for one region.
    V4 {
        /// The region, `cn-hangzhou`.
        region: String,
    },
}

type Headers = Vec<(&'static str, String)>;

/// Adds what says who sends, to headers whose names are in small letters. The request is a `POST` without parameters.
pub(crate) fn sign(
    headers: &mut Headers,
    credentials: &Credentials,
    signature: &SlsSignature,
    resource: &str,
    body: &[u8],
    now: SystemTime,
) {
    let authorization = match signature {
        SlsSignature::V1 => first(headers, credentials, resource, now),
        SlsSignature::V4 { region } => fourth(headers, credentials, resource, region, body, now),
    };
    headers.push(("authorization", authorization));
}

fn first(headers: &mut Headers, credentials: &Credentials, resource: &str, now: SystemTime) -> String {
    let date = clock::http(now);
    headers.push(("x-log-signaturemethod", "hmac-sha1".to_owned()));
    headers.sort_unstable();
    let value = |name| headers.iter().find(|(known, _)| *known == name).map_or("", |(_, value)| value.as_str());
    let own = lines(headers, is_own);
    let content = format!("POST\n{}\n{}\n{date}\n{own}{resource}", value("content-md5"), value("content-type"));
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, credentials.secret.as_bytes());
    let signature = STANDARD.encode(hmac::sign(&key, content.as_bytes()));
    headers.push(("date", date.clone()));
    // For who sits behind a proxy that takes the other one away. It isn't signed.
    headers.push(("x-log-date", date));
    format!("LOG {}:{signature}", credentials.id)
}

fn fourth(
    headers: &mut Headers,
    credentials: &Credentials,
    resource: &str,
    region: &str,
    body: &[u8],
    now: SystemTime,
) -> String {
    let (time, hash) = (clock::basic(now), hex(digest::digest(&digest::SHA256, body).as_ref()));
    headers.push(("x-log-content-sha256", hash.clone()));
    headers.push(("x-log-date", time.clone()));
    headers.sort_unstable();
    let is_signed = |name: &str| name == "content-type" || name == "host" || is_own(name);
    let names: Vec<_> = headers.iter().map(|(name, _)| *name).filter(|name| is_signed(name)).collect();
    let request = format!("POST\n{resource}\n\n{}\n{}\n{hash}", lines(headers, is_signed), names.join(";"));
    let date = time.split('T').next().unwrap_or_default();
    let scope = format!("{date}/{region}/sls/aliyun_v4_request");
    let hashed = hex(digest::digest(&digest::SHA256, request.as_bytes()).as_ref());
    let content = format!("SLS4-HMAC-SHA256\n{time}\n{scope}\n{hashed}");
    let secret = format!("aliyun_v4{}", credentials.secret).into_bytes();
    let parts = [date, region, "sls", "aliyun_v4_request", &content];
    let signature = parts.into_iter().fold(secret, |key, part| {
        hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key), part.as_bytes()).as_ref().to_vec()
    });
    format!("SLS4-HMAC-SHA256 Credential={}/{scope},Signature={}", credentials.id, hex(&signature))
}

/// Headers that the service itself defines.
fn is_own(name: &str) -> bool {
    name.starts_with("x-log-") || name.starts_with("x-acs-")
}

/// A line for each header that is signed.
fn lines(headers: &Headers, is_signed: impl Fn(&str) -> bool) -> String {
    let signed = headers.iter().filter(|(name, _)| is_signed(name));
    signed.map(|(name, value)| format!("{name}:{value}\n")).collect::<Vec<_>>().concat()
}

/// Two digits a byte.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat()
}
