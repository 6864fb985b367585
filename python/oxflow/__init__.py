"""Move the hot parts of a Python system into Rust, and run them in production.

A pipeline is written in Python, from steps in Python and in Rust:

    from oxflow import Map, Parser, Serializer, StreamSink, streaming_source

    pipeline = (
        streaming_source("metrics", stream_name="ingest-metrics")
        .apply(Parser("parse", IngestMetric))
        .apply(Map("transform", function=metrics_steps.RustTransformMsg()))
        .apply(Serializer("serialize"))
        .sink(StreamSink("out", stream_name="transformed-metrics"))
    )

`oxflow run FILE.py` or `oxflow.run(pipeline, streams=...)` runs it. Names are imported when they are first used: to import
the package costs next to nothing, starts no thread and opens nothing.
"""

from __future__ import annotations

import importlib

# As checkers know it from `typing`, which takes longer to import than all of this.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from oxflow import errors, gil, scheduler, telemetry, testing
    from oxflow._extension import RustFunction, RustPipeline
    from oxflow._oxflow import Message, Origin
    from oxflow._run import run
    from oxflow.dead_letter import DeadLetter
    from oxflow.definition import read_pipeline
    from oxflow.errors import (
        ConfigError,
        DecodeError,
        Diagnostic,
        EncodeError,
        ExtensionError,
        FetchError,
        InternalError,
        OutdatedModuleWarning,
        OxflowError,
        OxflowWarning,
        PlanError,
        ProjectError,
        SchedulerError,
        SchemaError,
        StepError,
        StepPanicked,
        StreamError,
        TooManyFailedError,
        UnoptimisedWarning,
    )
    from oxflow.pipeline import Branch, Pipeline, branch, streaming_source
    from oxflow.report import RunReport
    from oxflow.steps import Batch, Filter, FlatMap, Map, Parser, Serializer, StreamSink

__all__ = [
    "Batch",
    "Branch",
    "ConfigError",
    "DeadLetter",
    "DecodeError",
    "Diagnostic",
    "EncodeError",
    "ExtensionError",
    "FetchError",
    "Filter",
    "FlatMap",
    "InternalError",
    "Map",
    "Message",
    "Origin",
    "OutdatedModuleWarning",
    "OxflowError",
    "OxflowWarning",
    "Parser",
    "Pipeline",
    "PlanError",
    "ProjectError",
    "RunReport",
    "RustFunction",
    "RustPipeline",
    "SchedulerError",
    "SchemaError",
    "Serializer",
    "StepError",
    "StepPanicked",
    "StreamError",
    "StreamSink",
    "TooManyFailedError",
    "UnoptimisedWarning",
    "__version__",
    "branch",
    "errors",
    "gil",
    "read_pipeline",
    "run",
    "scheduler",
    "streaming_source",
    "telemetry",
    "testing",
]

__version__ = "0.1.0"

_HOMES = {
    "oxflow._extension": ("RustFunction", "RustPipeline"),
    "oxflow._oxflow": ("Message", "Origin"),
    "oxflow.dead_letter": ("DeadLetter",),
    "oxflow.definition": ("read_pipeline",),
    "oxflow.errors": (
        "ConfigError",
        "DecodeError",
        "Diagnostic",
        "EncodeError",
        "ExtensionError",
        "FetchError",
        "InternalError",
        "OutdatedModuleWarning",
        "OxflowError",
        "OxflowWarning",
        "PlanError",
        "ProjectError",
        "SchedulerError",
        "SchemaError",
        "StepError",
        "StepPanicked",
        "StreamError",
        "TooManyFailedError",
        "UnoptimisedWarning",
    ),
    "oxflow.pipeline": ("Branch", "Pipeline", "branch", "streaming_source"),
    "oxflow.report": ("RunReport",),
    "oxflow._run": ("run",),
    "oxflow.steps": ("Batch", "Filter", "FlatMap", "Map", "Parser", "Serializer", "StreamSink"),
}
_MODULES = ("errors", "gil", "scheduler", "telemetry", "testing")
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> object:
    if name in _MODULES:
        return importlib.import_module(f"oxflow.{name}")
    if name not in _HOME_OF:
        raise AttributeError(f"module `oxflow` has no attribute `{name}`")
    value: object = getattr(importlib.import_module(_HOME_OF[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
