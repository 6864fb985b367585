"""Lowers a pipeline to the plan that the engine runs.

The plan says what a pipeline is, as data (`oxflow_engine::plan`); beside it stand the Python objects that data cannot hold:
each step's function and decoder, by the step's name. All that is wrong with the functions and types of a pipeline is
collected and raised at once; what can be seen on the data alone is checked by the engine.
"""

from __future__ import annotations

import difflib
import json
import typing
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from oxflow._builds import mixed_in
from oxflow._extension import NATIVE_TYPE, RustFunction
from oxflow._place import place_of
from oxflow._shapes import Shape, UnsupportedTypeError, shape_of, spelled
from oxflow._signatures import UnfitFunctionError, items_of, reference_of, resolve, signature_of
from oxflow.codec import decoder
from oxflow.errors import DecodeError, Diagnostic, PlanError, diagnostics_from
from oxflow.pipeline import Branch, Broadcast, Route
from oxflow.steps import (
    LARGEST,
    Batch,
    Codec,
    Filter,
    FlatMap,
    Map,
    Parser,
    Serializer,
    Step,
    StreamSink,
    is_unicode,
    milliseconds,
    shown,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from oxflow._place import Spot
    from oxflow.pipeline import Pipeline

__all__ = ["Plan", "lower"]

VERSION = 1

# What the engine's JSON parser reads.
_DEEPEST = 127

# Which functions of Rust a step can call, by what they return.
_KINDS: dict[type[Step], tuple[str, ...]] = {
    Map: ("map", "filter_map"),
    FlatMap: ("flat_map", "filter_map"),
    Filter: ("filter",),
    Route: ("map", "filter"),
}
_CODECS: tuple[Codec, ...] = typing.get_args(Codec)
_RETURNS = {"map": "one value", "filter": "a `bool`", "filter_map": "an `Option`", "flat_map": "a `Vec`"}
_SUPPORTED = "a TypedDict, dataclass, msgspec.Struct, pydantic model, bytes, or a JSON type like dict[str, Any]"


class Run(NamedTuple):
    """Steps that are called together.

    Attributes:
        language: `python` or `rust`; `None` for what the engine does itself.
        steps: their names.
    """

    language: str | None
    steps: tuple[str, ...]


@dataclass(frozen=True)
class Plan:
    """A pipeline as data, with the Python objects that belong to it.

    Attributes:
        text: the plan as JSON.
        functions: by step: a callable, or the native object of a Rust function or payload type.
        decoders: by step: reads JSON bytes into what the step takes (a parser: gives).
    """

    text: str
    functions: Mapping[str, object]
    decoders: Mapping[str, Callable[[bytes], Any]]

    @property
    def data(self) -> dict[str, Any]:
        """The plan as JSON values."""
        data: dict[str, Any] = json.loads(self.text)
        return data

    def check(self) -> tuple[Diagnostic, ...]:
        """Check names, ends, tables, limits, every edge's types, and the builds of its modules; empty if all is well."""
        from oxflow import _oxflow

        return (*mixed_in(self.functions.values()), *diagnostics_from(json.loads(_oxflow.check(self.text))))

    def runs(self) -> tuple[Run, ...]:
        """Cut the steps into runs: each boundary between two of them that differ in language converts every message.

        Raises:
            PlanError: a Rust function does not fit its step.
        """
        from oxflow import _oxflow

        runs = json.loads(_oxflow.runs(self.text, dict(self.functions)))
        return tuple(Run(run["language"], tuple(run["steps"])) for run in runs)

    def graph(self, format: str) -> str:  # noqa: A002  # the word of the command line
        """Draw the plan.

        Args:
            format: `"mermaid"`, `"dot"`, `"svg"` or `"json"`.

        Raises:
            ValueError: there is no such format.
        """
        from oxflow import _oxflow

        return _oxflow.graph(self.text, format, dict(self.functions))


def lower(pipeline: Pipeline[Any]) -> Plan:
    """Make the plan of a pipeline.

    Args:
        pipeline: any pipeline; it need not be complete.

    Raises:
        PlanError: functions cannot be imported or called, or types cannot be payloads; lists all of them.
    """
    lowering = _Lowering()
    source = pipeline.source
    data = {
        "version": VERSION,
        "source": {
            "name": source.name,
            "stream": source.stream_name,
            **({"more": source.more} if source.more else {}),
            **_place(source.spot),
        },
        "steps": lowering.steps(pipeline.steps),
    }
    if _too_deep(data):
        why = f"branches inside branches and types inside types take more than {_DEEPEST} levels of the plan"
        fix = "split the pipeline at a stream, or annotate the innermost types as `Any`"
        lowering.diagnostics.append(
            Diagnostic("OXF0109", "the pipeline is nested too deeply", place_of(source.spot), why, fix)
        )
    if lowering.diagnostics:
        raise PlanError(*lowering.diagnostics)
    return Plan(json.dumps(data, ensure_ascii=False), lowering.functions, lowering.decoders)


@dataclass
class _Lowering:
    """What is gathered on the way through one pipeline."""

    functions: dict[str, object] = field(default_factory=dict[str, object])
    decoders: dict[str, Any] = field(default_factory=dict[str, Any])
    diagnostics: list[Diagnostic] = field(default_factory=list[Diagnostic])

    def steps(self, steps: Iterable[Step]) -> list[dict[str, Any]]:
        return [{"name": step.name, **_place(step.spot), "operation": self._operation(step)} for step in steps]

    def _operation(self, step: Step) -> object:
        # The match narrows `step` to a generic class whose arguments nobody knows.
        owner = step
        match step:
            case Map():
                return {"map": self._function(owner, step.function)}
            case FlatMap():
                return {"flat_map": self._function(owner, step.function)}
            case Filter():
                return {"filter": self._function(owner, step.function)}
            case Batch():
                return {"batch": _limits(step)}
            case Parser():
                codec = self._codec(owner, step.codec)
                return {"parser": {"type": self._parser(owner, step.msg_type, codec), **_unless_json(codec)}}
            case Serializer():
                codec = self._codec(owner, step.codec)
                if codec == "msgpack":
                    # What was gathered into lists behind Rust steps arrives as JSON.
                    self.decoders[step.name] = decoder(Any)
                return {"serializer": _unless_json(codec)}
            case Route():
                return {
                    "route": {"function": self._function(owner, step.routing_function), "branches": self._table(step)}
                }
            case Broadcast():
                return {"broadcast": [self._branch(way) for way in step.routes]}
            case StreamSink():
                return {"sink": step.stream_name}
            case _:
                raise TypeError(f"{step!r} is no step of a pipeline")

    def _branch(self, way: Branch[Any, Any]) -> dict[str, Any]:
        return {"name": way.name, **_place(way.spot), "steps": self.steps(way.steps)}

    def _table(self, step: Route) -> list[dict[str, Any]]:
        return [{"key": self._key(step, key, way), **self._branch(way)} for key, way in step.routing_table]

    def _key(self, step: Route, key: object, way: Branch[Any, Any]) -> object:
        wrong = _wrong_key(key)
        if wrong is None:
            return key
        fix = "use `str`, `int` or `bool`, the same for all keys"
        self._report(step, "OXF0107", f"key {key!a} of branch `{way.name}` {wrong}", fix=fix)
        return ascii(key)

    def _function(self, step: Step, function: object) -> dict[str, Any]:
        try:
            resolved = resolve(function)
        except UnfitFunctionError as error:
            self._unfit(step, error)
            return _unknown(function)
        rust: Any = resolved
        if isinstance(resolved, RustFunction):
            return self._rust(step, rust)
        return self._python(step, resolved)

    def _rust(self, step: Step, function: RustFunction[Any, Any]) -> dict[str, Any]:
        self.functions[step.name] = function.native
        kind = function.described["kind"]
        if kind not in _KINDS[type(step)]:
            wanted = " or ".join(_RETURNS[item] for item in _KINDS[type(step)])
            message = f"step `{step.name}` is a `{type(step).__name__}`, but `{function!r}` returns {_RETURNS[kind]}"
            fits = [item.__name__ for item, kinds in _KINDS.items() if kind in kinds and item is not Route]
            fix = f"use {' or '.join(f'`{name}`' for name in fits)}"
            self._report(
                step, "OXF0207", message, why=f"`{type(step).__name__}` takes a function that returns {wanted}", fix=fix
            )
        described = function.described
        return {
            "language": "rust",
            "name": reference_of(function),
            "input": described["input"],
            "output": described["output"],
            "hashes": described["hashes"],
            "wishes": described["wishes"],
        }

    def _python(self, step: Step, function: Callable[..., object]) -> dict[str, Any]:
        self.functions[step.name] = function
        kind: type[Step] = type(step)
        try:
            payload, result = signature_of(function)
            output = items_of(result, function) if kind is FlatMap else result
        except UnfitFunctionError as error:
            self._unfit(step, error)
            return _unknown(function)
        except NameError as error:
            message = f"step `{step.name}`: an annotation of `{reference_of(function)}` cannot be resolved: {error}"
            fix = "import the name outside `if TYPE_CHECKING:`, or annotate `Any`"
            self._report(step, "OXF0206", message, fix=fix)
            return _unknown(function)
        self.decoders[step.name] = _decoder(payload)
        return {
            "language": "python",
            "name": reference_of(function),
            "input": self._shape(step, payload, f"`{reference_of(function)}` takes"),
            "output": self._shape(step, output, f"`{reference_of(function)}` gives"),
        }

    def _codec(self, step: Step, codec: object) -> Codec:
        known: dict[object, Codec] = {item: item for item in _CODECS}
        if isinstance(codec, str) and codec in known:
            return known[codec]
        near = difflib.get_close_matches(str(codec), _CODECS, n=1)
        fix = f"did you mean `{near[0]}`?" if near else f"use one of {', '.join(f'`{item}`' for item in _CODECS)}"
        self._report(step, "OXF0209", f"step `{step.name}` has no codec {shown(codec)}", fix=fix)
        return "json"

    def _parser(self, step: Step, msg_type: Any, codec: Codec) -> Shape:
        native = getattr(msg_type, NATIVE_TYPE, None)
        if native is not None:
            self.functions[step.name] = native
        try:
            # Protobuf is read by Rust alone.
            self.decoders[step.name] = decoder(msg_type, "json" if codec == "protobuf" else codec)
        except UnsupportedTypeError as error:
            self._unsupported(step, "its type is", error)
            return "any"
        except NameError as error:
            message = f"step `{step.name}`: an annotation of `{spelled(msg_type)}` cannot be resolved: {error}"
            self._report(step, "OXF0206", message, fix="import the name outside `if TYPE_CHECKING:`")
            return "any"
        shape = self._shape(step, msg_type, "its type is")
        if native is not None and isinstance(shape, dict) and "record" in shape:
            # A module says of its types what they are, not where they are.
            return {"record": {**shape["record"], "module": msg_type.__module__}}
        return shape

    def _shape(self, step: Step, annotation: object, whose: str) -> Shape:
        try:
            return shape_of(annotation)
        except UnsupportedTypeError as error:
            self._unsupported(step, whose, error)
        except NameError as error:
            message = f"step `{step.name}`: a field of `{spelled(annotation)}` cannot be resolved: {error}"
            self._report(step, "OXF0206", message, fix="import the name outside `if TYPE_CHECKING:`")
        return "any"

    def _unfit(self, step: Step, error: UnfitFunctionError) -> None:
        self._report(step, error.code, f"step `{step.name}`: {error.message}", why=error.why, fix=error.fix)

    def _unsupported(self, step: Step, whose: str, error: UnsupportedTypeError) -> None:
        message = f"step `{step.name}`: {whose} {error}, which is no payload type"
        is_parser: bool = type(step) is Parser
        fix = None if is_parser else "annotate it as `Any` if only Python steps see it"
        self._report(step, "OXF0206", message, why=f"a payload is {_SUPPORTED}", fix=fix)

    def _report(self, step: Step, code: str, message: str, *, why: str | None = None, fix: str | None = None) -> None:
        self.diagnostics.append(Diagnostic(code, message, place_of(step.spot), why, fix))


def _decoder(annotation: object) -> Callable[[bytes], Any]:
    """Most functions get Python objects and never decode: a type that cannot be read from JSON is no error before it must be."""
    try:
        return decoder(annotation)
    except (UnsupportedTypeError, NameError) as error:
        reason = f"{error} cannot be read from JSON"

        def refuse(_data: bytes) -> Any:
            raise DecodeError(reason)

        return refuse


def _unless_json(codec: Codec) -> dict[str, Codec]:
    return {} if codec == "json" else {"codec": codec}


def _limits(step: Batch) -> dict[str, int]:
    limits = {"messages": step.batch_size, "bytes": step.batch_bytes}
    if step.batch_timedelta is not None:
        limits["time_ms"] = milliseconds(step.batch_timedelta)
    # The plan's numbers have no sign; a negative limit is as impossible as zero and is reported as such.
    return {name: max(limit, 0) for name, limit in limits.items() if limit is not None}


def _wrong_key(key: object) -> str | None:
    """Say why a plan cannot hold a key, if so."""
    match key:
        case str():
            return None if is_unicode(key) else "holds half of a surrogate pair"
        case bool():
            return None
        case int():
            return None if -LARGEST <= key <= LARGEST else f"is beyond {LARGEST}"
        case _:
            return f"is a `{spelled(type(key))}`"


def _too_deep(data: object) -> bool:
    level = [data]
    for _ in range(_DEEPEST):
        level = [inner for outer in level for inner in _inside(outer)]
    return any(isinstance(item, (dict, list)) for item in level)


def _inside(value: object) -> Iterable[object]:
    container: Any = value
    if isinstance(value, dict):
        return list(container.values())
    return list(container) if isinstance(value, list) else ()


def _unknown(function: object) -> dict[str, Any]:
    return {"language": "python", "name": str(function), "input": "any", "output": "any"}


def _place(spot: Spot | None) -> dict[str, Any]:
    place = place_of(spot)
    return {} if place is None else {"place": asdict(place)}
