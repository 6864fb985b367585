"""The pipeline beside this file with parser and filter in Rust too: no interpreter between source and sink."""

import metrics_steps

from oxflow import Filter, Map, Parser, Serializer, StreamSink, streaming_source

pipeline = (
    streaming_source("metrics", stream_name="ingest-metrics")
    .apply(Parser("parse", metrics_steps.IngestMetric))
    .apply(Filter("counters", function=metrics_steps.keep))
    .apply(Map("transform", function=metrics_steps.RustTransformMsg()))
    .apply(Serializer("serialize"))
    .sink(StreamSink("out", stream_name="transformed-metrics"))
)
