//! How much a span or a record may hold.

/// Limits of attributes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AttributeLimits {
    /// Most attributes.
    pub count: u32,
    /// Most characters of a text and bytes of bytes, none for any number.
    pub value_length: Option<usize>,
}

impl Default for AttributeLimits {
    fn default() -> Self {
        Self { count: 128, value_length: None }
    }
}

/// Limits of spans.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpanLimits {
    /// Of the span itself.
    pub attributes: AttributeLimits,
    /// Most events.
    pub events: u32,
    /// Most links.
    pub links: u32,
    /// Of each event.
    pub event_attributes: AttributeLimits,
    /// Of each link.
    pub link_attributes: AttributeLimits,
}

impl Default for SpanLimits {
    fn default() -> Self {
        let attributes = AttributeLimits::default();
        Self { attributes, events: 128, links: 128, event_attributes: attributes, link_attributes: attributes }
    }
}
