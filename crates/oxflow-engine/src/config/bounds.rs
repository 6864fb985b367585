//! Whole numbers within limits that are part of their type.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Error, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

/// A whole number from `LOW` to `HIGH`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Bounded<const LOW: u32, const HIGH: u32>(u32);

impl<const LOW: u32, const HIGH: u32> Bounded<LOW, HIGH> {
    /// A number that is known when the program is built; one outside the limits is an error of the build.
    pub const fn new<const NUMBER: u32>() -> Self {
        const { assert!(LOW <= NUMBER && NUMBER <= HIGH) };
        Self(NUMBER)
    }

    /// The number, if it is within the limits.
    pub fn checked(number: u64) -> Option<Self> {
        u32::try_from(number).ok().filter(|number| (LOW..=HIGH).contains(number)).map(Self)
    }

    /// The number within the limits that is nearest to this one.
    pub fn nearest(number: u32) -> Self {
        Self(number.clamp(LOW, HIGH))
    }

    /// The number.
    pub const fn get(self) -> u32 {
        self.0
    }
}

struct Limits<const LOW: u32, const HIGH: u32>;

impl<const LOW: u32, const HIGH: u32> Visitor<'_> for Limits<LOW, HIGH> {
    type Value = Bounded<LOW, HIGH>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "a whole number from {LOW} to {HIGH}")
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Self::Value, E> {
        Bounded::checked(number).ok_or_else(|| E::invalid_value(Unexpected::Unsigned(number), &self))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Self::Value, E> {
        let known = u64::try_from(number).ok().and_then(Bounded::checked);
        known.ok_or_else(|| E::invalid_value(Unexpected::Signed(number), &self))
    }
}

impl<'de, const LOW: u32, const HIGH: u32> Deserialize<'de> for Bounded<LOW, HIGH> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_u64(Limits)
    }
}

/// A number, or a text with `${..}` in it, which becomes one when the file is read.
impl<const LOW: u32, const HIGH: u32> JsonSchema for Bounded<LOW, HIGH> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("From{LOW}To{HIGH}").into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"anyOf": [
            {"type": "integer", "minimum": LOW, "maximum": HIGH},
            {"type": "string", "pattern": r"\$\{.+\}"},
        ]})
    }
}
