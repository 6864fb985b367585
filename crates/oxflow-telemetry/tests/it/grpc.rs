//! A server of gRPC: HTTP/2 by hyper, which knows nothing of our side.

use std::convert::Infallible;
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper::{HeaderMap, Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use oxflow_telemetry::{Begin, Compression, Dropped, Protocol, Sampler, Scope, SignalConfig, Telemetry};
use prost::Message;

use crate::collector::{config, otlp};

/// Answers each call with the next of these statuses, then with 0; hands on path, encoding and body.
fn serve(statuses: Vec<&'static str>) -> (String, Receiver<(String, String, Bytes)>) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.set_nonblocking(true).expect("it can");
    let address = listener.local_addr().expect("an address").to_string();
    let (sender, receiver) = channel();
    let statuses = Arc::new(Mutex::new(statuses.into_iter()));
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().expect("a runtime");
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
            while let Ok((stream, _)) = listener.accept().await {
                let (sender, statuses) = (sender.clone(), Arc::clone(&statuses));
                let answer = service_fn(move |request: Request<Incoming>| {
                    let (sender, statuses) = (sender.clone(), Arc::clone(&statuses));
                    async move {
                        let path = request.uri().path().to_owned();
                        let encoding =
                            request.headers().get("grpc-encoding").map(|name| name.to_str().expect("text").to_owned());
                        let body = request.into_body().collect().await.expect("a body").to_bytes();
                        let _ = sender.send((path, encoding.unwrap_or_default(), body));
                        let status = statuses.lock().expect("no panic").next().unwrap_or("0");
                        let mut trailers = HeaderMap::new();
                        trailers.insert("grpc-status", status.parse().expect("a header"));
                        let body = Full::new(Bytes::from_static(&[0; 5])).with_trailers(async { Some(Ok(trailers)) });
                        Ok::<_, Infallible>(Response::new(body))
                    }
                });
                tokio::spawn(http2::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), answer));
            }
        });
    });
    (address, receiver)
}

fn sent(statuses: Vec<&'static str>, compression: Compression) -> (&'static Telemetry, Vec<(String, String, Bytes)>) {
    let (address, calls) = serve(statuses);
    let mut otlp = otlp(&format!("http://{address}"), Protocol::Grpc);
    otlp.compression = compression;
    let telemetry = Telemetry::begin(config(SignalConfig::Traces(Sampler::AlwaysOn), otlp));
    let scope = Arc::new(Scope::named("cart"));
    for _ in 0..3000 {
        telemetry.start(&scope, Begin::named("work"), |_, _| {}).end(None);
    }
    telemetry.shutdown(Duration::from_secs(20));
    (telemetry, calls.try_iter().collect())
}

#[test]
fn batches_arrive_by_grpc() {
    for (compression, name) in [(Compression::None, ""), (Compression::Gzip, "gzip"), (Compression::Zstd, "zstd")] {
        let (telemetry, calls) = sent(Vec::new(), compression);
        let mut spans = 0;
        for (path, encoding, body) in &calls {
            assert_eq!("/opentelemetry.proto.collector.trace.v1.TraceService/Export", path);
            assert_eq!((name, u8::from(!name.is_empty())), (encoding.as_str(), body[0]));
            assert_eq!(body.len() - 5, u32::from_be_bytes(body[1..5].try_into().expect("four")) as usize);
            let message = match compression {
                Compression::None => body[5..].to_vec(),
                Compression::Gzip => {
                    let mut read = Vec::new();
                    std::io::copy(&mut flate2::read::GzDecoder::new(&body[5..]), &mut read).expect("it is gzip");
                    read
                }
                Compression::Zstd => zstd::stream::decode_all(&body[5..]).expect("it is zstd"),
            };
            let request = ExportTraceServiceRequest::decode(&message[..]).expect("it is one");
            spans += request.resource_spans[0].scope_spans[0].spans.len();
        }
        assert_eq!((3000, 3000), (spans, telemetry.stats()[0].counts.delivered));
    }
}

#[test]
fn an_unavailable_server_is_asked_again_and_a_strict_one_is_not() {
    let (telemetry, calls) = sent(vec!["14", "4"], Compression::None);
    assert_eq!((4, 3000), (calls.len(), telemetry.stats()[0].counts.delivered));
    let (telemetry, calls) = sent(vec!["3", "8"], Compression::None);
    let expected = Dropped { refused: 3000, ..Dropped::default() };
    assert_eq!((2, expected), (calls.len(), telemetry.stats()[0].counts.dropped));
}
