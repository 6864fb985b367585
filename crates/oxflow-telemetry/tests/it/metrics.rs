use std::sync::Arc;
use std::time::Duration;

use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value as Point;
use opentelemetry_proto::tonic::metrics::v1::{Metric, NumberDataPoint};
use oxflow_telemetry::{
    Aggregation, AttributeLimits, Attributes, Config, Draft, Instrument, InstrumentKind, Metrics, Number, Observation,
    Observe, Scope, SignalConfig, Telemetry, Temporality, View,
};
use prost::Message;

use crate::collector::Collector;

struct Watched {
    metrics: &'static Metrics,
    telemetry: &'static Telemetry,
    collector: Collector,
}

impl Watched {
    fn new(temporality: Temporality, views: Vec<View>) -> Self {
        let (metrics, collector) = (Metrics::begin(), Collector::start(Vec::new()));
        let config = collector.config(SignalConfig::Metrics(temporality));
        let telemetry = Telemetry::begin(Config { metrics: Some(metrics), views, ..config });
        telemetry.read_instruments();
        Self { metrics, telemetry, collector }
    }

    fn instrument(&self, kind: InstrumentKind, name: &str) -> &'static Instrument {
        self.metrics.instrument(&Arc::new(Scope::named("shop")), draft(kind, name))
    }

    /// What is sent now.
    fn collect(&self) -> Vec<Metric> {
        let before = self.collector.requests().len();
        assert!(self.telemetry.force_flush(Duration::from_secs(20)));
        let requests = self.collector.requests();
        let new = requests[before..].iter();
        let decoded = new.map(|request| ExportMetricsServiceRequest::decode(&request.body[..]).expect("it is one"));
        let scopes = decoded.flat_map(|request| request.resource_metrics).flat_map(|resource| resource.scope_metrics);
        let mut metrics: Vec<_> = scopes.flat_map(|scope| scope.metrics).collect();
        metrics.sort_by(|one, other| one.name.cmp(&other.name));
        metrics
    }
}

fn draft(kind: InstrumentKind, name: &str) -> Draft {
    Draft { kind, name: name.to_owned(), unit: "1".to_owned(), description: "what".to_owned(), bounds: None }
}

fn with(name: &str, value: &str) -> Attributes {
    let mut attributes = Attributes::new();
    attributes.set(name, &value.into(), &AttributeLimits::default());
    attributes
}

/// Points of sums and gauges, ordered.
fn points(metric: &Metric) -> Vec<NumberDataPoint> {
    let mut points = match metric.data.as_ref().expect("there") {
        Data::Sum(sum) => sum.data_points.clone(),
        Data::Gauge(gauge) => gauge.data_points.clone(),
        other => panic!("{other:?}"),
    };
    points.sort_by_key(|point| format!("{:?}", point.attributes));
    points
}

fn values(metric: &Metric) -> Vec<Point> {
    points(metric).into_iter().filter_map(|point| point.value).collect()
}

#[test]
fn sums_are_exact_and_apart_by_attributes() {
    let watched = Watched::new(Temporality::Cumulative, Vec::new());
    let counter = watched.instrument(InstrumentKind::Counter, "sold");
    assert!(counter.record(Number::Int(1 << 60), with("kind", "book")));
    assert!(counter.record(Number::Int(1), with("kind", "book")));
    assert!(counter.record(Number::Float(0.5), with("kind", "tea")));
    assert!(!counter.record(Number::Int(-1), Attributes::new()));
    assert!(!counter.record(Number::Float(f64::NAN), Attributes::new()));
    for _ in 0..2 {
        let metrics = watched.collect();
        assert_eq!(
            ("sold", "1", "what"),
            (metrics[0].name.as_str(), metrics[0].unit.as_str(), metrics[0].description.as_str())
        );
        assert_eq!(vec![Point::AsInt((1 << 60) + 1), Point::AsDouble(0.5)], values(&metrics[0]));
        let Some(Data::Sum(sum)) = &metrics[0].data else { panic!("a sum") };
        assert_eq!((2, true), (sum.aggregation_temporality, sum.is_monotonic));
    }
}

#[test]
fn deltas_begin_anew_and_follow_one_another() {
    let watched = Watched::new(Temporality::Delta, Vec::new());
    let (counter, both) =
        (watched.instrument(InstrumentKind::Counter, "a"), watched.instrument(InstrumentKind::UpDownCounter, "b"));
    let mut end = 0;
    for expected in [3, 4] {
        counter.record(Number::Int(expected), Attributes::new());
        both.record(Number::Int(-1), Attributes::new());
        let metrics = watched.collect();
        assert_eq!(vec![Point::AsInt(expected)], values(&metrics[0]));
        let point = &points(&metrics[0])[0];
        assert!(end == 0 || end == point.start_time_unix_nano);
        end = point.time_unix_nano;
    }
    let metrics = watched.collect();
    assert_eq!((1, vec![Point::AsInt(-2)]), (metrics.len(), values(&metrics[0])), "what didn't change isn't sent");
}

#[test]
fn distributions_have_buckets_and_extremes() {
    let exponential = View {
        instrument: Some("fine".to_owned()),
        aggregation: Some(Aggregation::Exponential { buckets: 160, scale: 20 }),
        ..View::default()
    };
    let watched = Watched::new(Temporality::Cumulative, vec![exponential]);
    let names = ["coarse", "fine"].map(|name| watched.instrument(InstrumentKind::Histogram, name));
    for value in [0.0, 1.0, 7.0, 7.0, 20_000.0] {
        for histogram in names {
            assert!(histogram.record(Number::Float(value), Attributes::new()));
        }
    }
    let metrics = watched.collect();
    let Some(Data::Histogram(coarse)) = &metrics[0].data else { panic!("a histogram") };
    let point = &coarse.data_points[0];
    assert_eq!((5, Some(20_015.0), Some(0.0), Some(20_000.0)), (point.count, point.sum, point.min, point.max));
    assert_eq!((15, vec![1, 1, 2]), (point.explicit_bounds.len(), point.bucket_counts[..3].to_vec()));
    assert_eq!(1, *point.bucket_counts.last().expect("there"));
    let Some(Data::ExponentialHistogram(fine)) = &metrics[1].data else { panic!("an exponential one") };
    let point = &fine.data_points[0];
    let positive = point.positive.as_ref().expect("there");
    assert_eq!((5, 1, 4), (point.count, point.zero_count, positive.bucket_counts.iter().sum::<u64>()));
    // The bucket of the largest value ends at or after it.
    let base = 2.0_f64.powf(2.0_f64.powi(-point.scale));
    let last = positive.offset + i32::try_from(positive.bucket_counts.len()).expect("few") - 1;
    assert!(base.powi(last) < 20_000.0 * 1.001 && 20_000.0 <= base.powi(last + 1) * 1.001);
}

#[test]
fn views_rename_filter_and_drop() {
    let views = vec![
        View {
            instrument: Some("http.*".to_owned()),
            name: Some("short".to_owned()),
            keys: Some(vec!["a".to_owned()]),
            ..View::default()
        },
        View { kind: Some(InstrumentKind::Gauge), aggregation: Some(Aggregation::Drop), ..View::default() },
    ];
    let watched = Watched::new(Temporality::Cumulative, views);
    let counter = watched.instrument(InstrumentKind::Counter, "http.requests");
    for user in ["x", "y"] {
        let mut attributes = with("a", "1");
        attributes.set("user", &user.into(), &AttributeLimits::default());
        counter.record(Number::Int(1), attributes);
    }
    let gauge = watched.instrument(InstrumentKind::Gauge, "heat");
    gauge.record(Number::Int(1), Attributes::new());
    let metrics = watched.collect();
    assert_eq!(vec!["short"], metrics.iter().map(|metric| metric.name.as_str()).collect::<Vec<_>>());
    assert_eq!(vec![Point::AsInt(2)], values(&metrics[0]));
    assert!(!gauge.is_read());
}

#[test]
fn an_instrument_that_was_made_early_is_live_later() {
    let metrics = Metrics::begin();
    let scope = Arc::new(Scope::named("shop"));
    let early = metrics.instrument(&scope, draft(InstrumentKind::Gauge, "early"));
    assert!(std::ptr::eq(early, metrics.instrument(&scope, draft(InstrumentKind::Gauge, "early"))));
    early.record(Number::Int(1), Attributes::new());
    let collector = Collector::start(Vec::new());
    let config = collector.config(SignalConfig::Metrics(Temporality::Cumulative));
    let telemetry = Telemetry::begin(Config { metrics: Some(metrics), ..config });
    telemetry.read_instruments();
    let watched = Watched { metrics, telemetry, collector };
    assert!(watched.collect().is_empty());
    early.record(Number::Int(2), Attributes::new());
    assert_eq!(vec![Point::AsInt(2)], values(&watched.collect()[0]));
}

#[derive(Debug)]
struct Queue;

impl Observe for Queue {
    fn observe(&self) -> Vec<Observation> {
        vec![Observation { number: Number::Int(7), attributes: Attributes::new() }]
    }
}

#[test]
fn who_is_asked_tells_the_whole_and_a_delta_reader_what_came() {
    for (temporality, expected) in
        [(Temporality::Cumulative, [7, 7]), (Temporality::Delta, [7, 0]), (Temporality::LowMemory, [7, 7])]
    {
        let watched = Watched::new(temporality, Vec::new());
        watched.instrument(InstrumentKind::ObservableCounter, "length").ask(Arc::new(Queue));
        for value in expected {
            assert_eq!(vec![Point::AsInt(value)], values(&watched.collect()[0]), "{temporality:?}");
        }
    }
}

#[derive(Debug)]
struct Broken;

impl Observe for Broken {
    fn observe(&self) -> Vec<Observation> {
        panic!("it was asked")
    }
}

#[test]
fn one_that_panics_when_it_is_asked_costs_its_own_values_alone() {
    let watched = Watched::new(Temporality::Cumulative, Vec::new());
    watched.instrument(InstrumentKind::ObservableCounter, "broken").ask(Arc::new(Broken));
    watched.instrument(InstrumentKind::ObservableCounter, "length").ask(Arc::new(Queue));
    for _ in 0..2 {
        let metrics = watched.collect();
        assert_eq!((1, vec![Point::AsInt(7)]), (metrics.len(), values(&metrics[0])));
    }
}

#[test]
fn too_many_sets_of_attributes_share_a_point() {
    let watched = Watched::new(Temporality::Cumulative, Vec::new());
    let counter = watched.instrument(InstrumentKind::Counter, "wide");
    for number in 0..2500 {
        counter.record(Number::Int(1), with("id", &number.to_string()));
    }
    let metrics = watched.collect();
    let points = points(&metrics[0]);
    let rest = points.iter().find(|point| point.attributes[0].key == "otel.metric.overflow").expect("there is one");
    assert_eq!((2000, Some(Point::AsInt(501))), (points.len(), rest.value));
}

#[test]
fn the_last_measurements_are_sent_at_the_end() {
    let watched = Watched::new(Temporality::Cumulative, Vec::new());
    watched.instrument(InstrumentKind::Counter, "last").record(Number::Int(1), Attributes::new());
    assert!(watched.telemetry.shutdown(Duration::from_secs(20)));
    assert_eq!(1, watched.collector.requests().len());
    let counts = watched.telemetry.stats()[0].counts;
    assert_eq!((1, 1, 0), (counts.made, counts.delivered, counts.queued));
}
