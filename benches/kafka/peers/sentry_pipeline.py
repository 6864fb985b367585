"""sentry-streams' example `simple_map_filter`, as it comes with the package."""

from sentry_kafka_schemas.schema_types.ingest_metrics_v1 import IngestMetric
from sentry_steps import filter_events, transform_msg
from sentry_streams.pipeline.pipeline import Map, Parser, PredicateFilter, Serializer, StreamSink, streaming_source

pipeline = streaming_source(name="myinput", stream_name="ingest-metrics")

(
    pipeline.apply(Parser[IngestMetric]("parser"))
    .apply(PredicateFilter("filter", function=filter_events))
    .apply(Map("transform", function=transform_msg))
    .apply(Serializer("serializer"))
    .sink(StreamSink("mysink", stream_name="transformed-events"))
)
