use std::io::Read;
use std::net::TcpListener;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use oxflow_telemetry::{
    BatchLimits, Begin, Compression, Config, Counts, Dropped, Protocol, RetryLimits, Sampler, Scope, SignalConfig,
    Telemetry,
};
use prost::Message;

use crate::collector::{Collector, Reply, config, otlp};

const SECOND: Duration = Duration::from_secs(1);

fn always() -> SignalConfig {
    SignalConfig::Traces(Sampler::AlwaysOn)
}

fn spans(telemetry: &'static Telemetry, count: usize) {
    let scope = Arc::new(Scope::named("cart"));
    for _ in 0..count {
        telemetry.start(&scope, Begin::named("work"), |_, _| {}).end(None);
    }
}

#[track_caller]
fn check(telemetry: &'static Telemetry, delivered: u64, dropped: Dropped) {
    let expected = Counts { made: delivered + dropped.total(), delivered, dropped, queued: 0 };
    assert_eq!(expected, telemetry.stats()[0].counts);
}

#[test]
fn who_is_busy_is_asked_again_when_he_said() {
    let collector = Collector::start(vec![
        Reply::Plain(503, "retry-after: 1\r\n", Vec::new()),
        Reply::Plain(429, "", Vec::new()),
        Reply::Hang,
    ]);
    let telemetry = Telemetry::begin(collector.config(always()));
    spans(telemetry, 3);
    assert!(telemetry.force_flush(20 * SECOND));
    let requests = collector.requests();
    assert_eq!(4, requests.len());
    assert!(requests[1].at - requests[0].at >= SECOND);
    assert!(requests.iter().all(|request| request.body == requests[0].body));
    check(telemetry, 3, Dropped::default());
}

#[test]
fn what_is_rejected_is_counted() {
    let partial = ExportTracePartialSuccess { rejected_spans: 2, error_message: "old".to_owned() };
    let body = ExportTraceServiceResponse { partial_success: Some(partial) }.encode_to_vec();
    let collector = Collector::start(vec![Reply::Plain(200, "content-type: application/x-protobuf\r\n", body)]);
    let telemetry = Telemetry::begin(collector.config(always()));
    spans(telemetry, 5);
    assert!(!telemetry.force_flush(20 * SECOND));
    check(telemetry, 3, Dropped { refused: 2, ..Dropped::default() });
}

#[test]
fn what_is_refused_is_not_sent_again() {
    let collector = Collector::start(vec![Reply::Plain(400, "", b"no".to_vec())]);
    let telemetry = Telemetry::begin(collector.config(always()));
    spans(telemetry, 5);
    assert!(!telemetry.force_flush(20 * SECOND));
    assert_eq!(1, collector.requests().len());
    check(telemetry, 0, Dropped { refused: 5, ..Dropped::default() });
}

#[test]
fn the_process_ends_at_once_where_nobody_listens() {
    let free = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
    let telemetry = Telemetry::begin(config(always(), otlp(&format!("http://{free}/"), Protocol::HttpProtobuf)));
    spans(telemetry, 5);
    let open = telemetry.start(&Arc::default(), Begin::named("open"), |_, _| {});
    let begun = Instant::now();
    assert!(!telemetry.shutdown(20 * SECOND));
    assert!(begun.elapsed() < 5 * SECOND);
    check(telemetry, 0, Dropped { undelivered: 5, ..Dropped::default() });
    open.end(None);
    // What begins after the end isn't recorded.
    spans(telemetry, 1);
    check(telemetry, 0, Dropped { undelivered: 5, late: 1, ..Dropped::default() });
}

#[test]
fn the_process_ends_in_time_where_somebody_is_silent() {
    let collector = Collector::start(vec![Reply::Slow(30 * SECOND)]);
    let telemetry = Telemetry::begin(collector.config(always()));
    spans(telemetry, 5);
    let begun = Instant::now();
    assert!(!telemetry.shutdown(SECOND));
    assert!((SECOND..5 * SECOND).contains(&begun.elapsed()));
}

#[test]
fn patience_ends() {
    let free = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
    let mut otlp = otlp(&format!("http://{free}/"), Protocol::Grpc);
    otlp.retry = RetryLimits { total: Duration::from_millis(200), ..otlp.retry };
    let telemetry = Telemetry::begin(config(always(), otlp));
    spans(telemetry, 5);
    assert!(!telemetry.force_flush(20 * SECOND));
    check(telemetry, 0, Dropped { undelivered: 5, ..Dropped::default() });
}

#[test]
fn nothing_waits_where_nobody_takes() {
    let collector = Collector::start(vec![Reply::Slow(20 * SECOND)]);
    let mut config = collector.config(always());
    config.sinks[0].batch = BatchLimits { queue_records: 100, batch_records: 10, ..config.sinks[0].batch };
    let telemetry = Telemetry::begin(config);
    let begun = Instant::now();
    spans(telemetry, 10_000);
    assert!(begun.elapsed() < 2 * SECOND);
    let counts = telemetry.stats()[0].counts;
    assert_eq!((10_000, 9900, 100), (counts.made, counts.dropped.full, counts.queued));
}

#[test]
fn requests_may_be_smaller() {
    for (compression, name) in [(Compression::Gzip, "gzip"), (Compression::Zstd, "zstd")] {
        let collector = Collector::start(Vec::new());
        let mut otlp = collector.otlp();
        otlp.compression = compression;
        otlp.headers.push(("x-key".parse().expect("a name"), "secret".parse().expect("a value")));
        let telemetry = Telemetry::begin(config(always(), otlp));
        spans(telemetry, 500);
        assert!(telemetry.force_flush(20 * SECOND));
        let request = &collector.requests()[0];
        assert!(request.head.starts_with("post /v1/any http/1.1"), "{}", request.head);
        assert!(request.head.contains(&format!("content-encoding: {name}")) && request.head.contains("x-key: secret"));
        let mut body = Vec::new();
        match compression {
            Compression::Gzip => flate2::read::GzDecoder::new(&request.body[..]).read_to_end(&mut body).map(drop),
            _ => zstd::stream::copy_decode(&request.body[..], &mut body),
        }
        .expect("it is compressed");
        assert!(request.body.len() < body.len());
        let read = ExportTraceServiceRequest::decode(&body[..]).expect("it is one");
        assert_eq!(500, read.resource_spans[0].scope_spans[0].spans.len());
    }
}

#[test]
fn whole_batches_go_without_being_asked() {
    let collector = Collector::start(Vec::new());
    let mut config = collector.config(always());
    config.sinks[0].batch.batch_records = 10;
    let telemetry = Telemetry::begin(config);
    spans(telemetry, 25);
    collector.wait_for(2);
    thread::sleep(Duration::from_millis(50));
    assert_eq!((2, 5), (collector.requests().len(), telemetry.stats()[0].counts.queued));
}

#[test]
fn a_record_waits_no_longer_than_the_delay() {
    let collector = Collector::start(Vec::new());
    let mut config = collector.config(always());
    config.sinks[0].batch.delay = Duration::from_millis(100);
    let telemetry = Telemetry::begin(config);
    spans(telemetry, 1);
    collector.wait_for(1);
}

#[test]
fn all_that_many_threads_make_arrives() {
    let collector = Collector::start(Vec::new());
    let mut config: Config = collector.config(always());
    config.sinks[0].batch = BatchLimits { queue_records: 1 << 20, queue_bytes: 1 << 30, ..config.sinks[0].batch };
    let telemetry = Telemetry::begin(config);
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| spans(telemetry, 5000));
        }
    });
    assert!(telemetry.shutdown(20 * SECOND));
    let all = collector.requests();
    let decoded = all.iter().map(|request| ExportTraceServiceRequest::decode(&request.body[..]).expect("it is one"));
    let count: usize = decoded.map(|read| read.resource_spans[0].scope_spans[0].spans.len()).sum();
    assert_eq!(40_000, count);
    check(telemetry, 40_000, Dropped::default());
}
