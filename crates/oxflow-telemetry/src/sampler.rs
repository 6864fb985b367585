//! Which spans are recorded.

use std::fmt;
use std::sync::Arc;

use crate::attributes::Attributes;
use crate::context::SpanContext;
use crate::span::Kind;

/// Decides which spans are recorded.
#[derive(Clone, Debug)]
pub enum Sampler {
    /// All.
    AlwaysOn,
    /// None.
    AlwaysOff,
    /// A share of the traces, from 0 to 1; the same ones in every process.
    Ratio(f64),
    /// Those whose parent is recorded; this one decides for spans that have none.
    ParentBased(Box<Sampler>),
    /// Something of the user's.
    Custom(Arc<dyn Sample>),
}

/// A user's own sampler.
pub trait Sample: Send + Sync + fmt::Debug {
    /// Decides about a span that begins.
    fn sample(&self, span: &Beginning<'_>) -> Decision;
}

/// A span that begins.
#[derive(Debug)]
pub struct Beginning<'a> {
    /// The span it is in.
    pub parent: Option<&'a SpanContext>,
    /// Identity of its trace.
    pub trace_id: u128,
    /// Its name.
    pub name: &'a str,
    /// What it is.
    pub kind: Kind,
    /// What is known of it at its beginning.
    pub attributes: &'a Attributes,
}

/// What becomes of a span.
#[derive(Debug, Default)]
pub struct Decision {
    /// It is recorded.
    pub is_recorded: bool,
    /// Added to the span.
    pub attributes: Attributes,
    /// The span's `tracestate`, none for its parent's.
    pub state: Option<Arc<str>>,
}

impl Sampler {
    /// Whether it asks for attributes, which are costly to convert.
    pub(crate) fn wants_attributes(&self) -> bool {
        match self {
            Self::Custom(_) => true,
            Self::ParentBased(root) => root.wants_attributes(),
            Self::AlwaysOn | Self::AlwaysOff | Self::Ratio(_) => false,
        }
    }

    /// Decides about a span for the sink of this number.
    pub(crate) fn decide(&self, span: &Beginning<'_>, sink: u8) -> Decision {
        let plain = |is_recorded| Decision { is_recorded, ..Decision::default() };
        match self {
            Self::AlwaysOn => plain(true),
            Self::AlwaysOff => plain(false),
            Self::Ratio(ratio) => plain(is_in(span.trace_id, *ratio)),
            Self::ParentBased(root) => match span.parent {
                Some(parent) if parent.is_valid() => plain(parent.sinks & sink != 0),
                _ => root.decide(span, sink),
            },
            Self::Custom(sampler) => sampler.sample(span),
        }
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it saturates at both ends")]
/// Compares the lower half of the identity with the bound that the ratio is of all of them, as the other SDKs do.
fn is_in(trace_id: u128, ratio: f64) -> bool {
    let bound = (ratio * 18_446_744_073_709_551_616.0).round() as u128;
    (trace_id & u128::from(u64::MAX)) < bound
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id;

    fn beginning<'a>(parent: Option<&'a SpanContext>, trace_id: u128, attributes: &'a Attributes) -> Beginning<'a> {
        Beginning { parent, trace_id, name: "work", kind: Kind::Internal, attributes }
    }

    fn recorded(sampler: &Sampler, parent: Option<&SpanContext>, trace_id: u128) -> bool {
        sampler.decide(&beginning(parent, trace_id, &Attributes::new()), 1).is_recorded
    }

    #[test]
    fn a_ratio_takes_its_share_and_always_the_same() {
        for ratio in [0.0, 0.25, 0.9, 1.0] {
            let sampler = Sampler::Ratio(ratio);
            let ids: Vec<_> = (0..20_000).map(|_| id::trace_id()).collect();
            let taken = ids.iter().filter(|id| recorded(&sampler, None, **id)).count();
            assert!((taken as f64 / 20_000.0 - ratio).abs() < 0.02, "{taken} for {ratio}");
            assert!(ids.iter().all(|id| recorded(&sampler, None, *id) == is_in(*id, ratio)));
        }
        assert!(is_in(u128::from(u64::MAX), 1.0));
        assert!(!is_in(0, 0.0));
    }

    #[test]
    fn a_child_does_as_its_parent() {
        let sampler = Sampler::ParentBased(Box::new(Sampler::AlwaysOff));
        for (flags, expected) in [(0, false), (1, true)] {
            let parent = SpanContext::new(1, 2, flags, true, None);
            assert_eq!(expected, recorded(&sampler, Some(&parent), 1));
        }
        assert!(!recorded(&sampler, None, 1));
        assert!(recorded(&Sampler::ParentBased(Box::new(Sampler::AlwaysOn)), Some(&SpanContext::none()), 1));
    }

    #[test]
    fn a_child_goes_to_the_sinks_of_its_parent() {
        let parent = SpanContext { sinks: 0b10, ..SpanContext::new(1, 2, 1, false, None) };
        let sampler = Sampler::ParentBased(Box::new(Sampler::AlwaysOn));
        let of = |sink| sampler.decide(&beginning(Some(&parent), 1, &Attributes::new()), sink).is_recorded;
        assert_eq!([false, true], [of(0b01), of(0b10)]);
    }
}
