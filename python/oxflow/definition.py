"""Pipelines in YAML: read into what the builder makes, and written from it.

The engine reads the text, checks its form and says where everything stands; here names become functions and types. So a
pipeline in YAML is one like any other: `oxflow.plan` makes its plan.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from oxflow import _oxflow
from oxflow._extension import NATIVE_TYPE, RustFunction
from oxflow._place import Spot, place_of
from oxflow._signatures import UnfitFunctionError, imported, reference_of
from oxflow.errors import Diagnostic, ExtensionError, PlanError
from oxflow.pipeline import Branch, Broadcast, Pipeline, Route, Source
from oxflow.steps import Batch, Filter, FlatMap, Map, Parser, Serializer, StreamSink, milliseconds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from oxflow.steps import Step

__all__ = ["NAME_ONE", "parse", "read_pipeline", "written"]

T = TypeVar("T")

# What to do where there is none.
NAME_ONE = "name a file with a pipeline in YAML"

_CALLS: dict[str, Callable[[str, Any], Step]] = {"map": Map, "flat_map": FlatMap, "filter": Filter}
_WORDS: dict[type[Step], str] = {Map: "map", FlatMap: "flat_map", Filter: "filter"}
# A text that YAML reads as the same text.
_PLAIN = re.compile(r"[A-Za-z_][\w-]*", re.ASCII)
_TAKEN = {"y", "n", "yes", "no", "on", "off", "true", "false", "null"}


def read_pipeline(path: str | Path) -> Pipeline[Any]:
    """Read a pipeline in YAML.

    Args:
        path: the file. Modules that it names are imported.

    Raises:
        PlanError: it is no pipeline, or names what is not there; lists all of it.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else f"not UTF-8 at byte {error.start}"
        raise PlanError(Diagnostic("OXF0108", f"`{path}` cannot be read: {reason}", fix=NAME_ONE)) from error
    return parse(text, str(path))


def parse(text: str, file: str, module: str | None = None) -> Pipeline[Any]:
    """Read a pipeline in YAML out of a text.

    Args:
        text: the pipeline.
        file: its name in errors.
        module: where functions and types are that name no module, unless the text says so.

    Raises:
        PlanError: it is no pipeline, or names what is not there; lists all of it.
    """
    data = json.loads(_oxflow.load_definition(text, file))
    reading = _Reading(file, data.get("module") or module)
    (line, column, source) = data["source"]
    first, *more = source.get("streams") or [source["stream"]]
    made = _at(Source(source["name"], first, tuple(more)), reading.spot(line, column))
    pipeline: Pipeline[Any] = Pipeline(made, reading.steps(data["steps"]))
    if reading.wrong:
        raise PlanError(*reading.wrong)
    return pipeline


@dataclass
class _Reading:
    """One file, and what is wrong in it."""

    file: str
    module: str | None
    wrong: list[Diagnostic] = field(default_factory=list[Diagnostic])

    def spot(self, line: int, column: int) -> Spot:
        return Spot(self.file, line, column)

    def steps(self, placed: Iterable[tuple[int, int, Mapping[str, Any]]]) -> tuple[Step, ...]:
        return tuple(self._step(step, self.spot(line, column)) for line, column, step in placed)

    def _step(self, step: Mapping[str, Any], spot: Spot) -> Step:
        ((kind, given),) = step.items()
        name = given["name"]
        match kind:
            case "batch":
                time_ms = given.get("time_ms")
                time = None if time_ms is None else timedelta(milliseconds=time_ms)
                made: Step = Batch(name, given.get("messages"), given.get("bytes"), time)
            case "parser":
                made = Parser(name, self._type(given, spot), codec=given.get("codec", "json"))
            case "serializer":
                made = Serializer(name, codec=given.get("codec", "json"))
            case "route":
                ways = [(line, column, way) for line, column, way in given["branches"]]
                table = tuple((way["key"], self._branch(way, self.spot(*at))) for *at, way in ways)
                made = Route(name, self._function(given, spot), table)
            case "broadcast":
                made = Broadcast(name, tuple(self._branch(way, self.spot(*at)) for *at, way in given["branches"]))
            case "sink":
                made = StreamSink(name, given["stream"])
            case _:
                made = _CALLS[kind](name, self._function(given, spot))
        return _at(made, spot)

    def _branch(self, way: Mapping[str, Any], spot: Spot) -> Branch[Any, Any]:
        return Branch(way["name"], self.steps(way["steps"]), spot)

    def _function(self, given: Mapping[str, Any], spot: Spot) -> Any:
        """Give a function that a step can call; one in Python by its reference, which the plan resolves."""
        if "python" in given:
            return given["python"]
        reference, arguments = given["function"], given.get("with")
        found = self._found(given["name"], reference, spot)
        if found is None:
            return None
        if _is_class(found):
            return self._made(given["name"], reference, lambda: found(**(arguments or {})), spot)
        if not _is_object(found):
            self._report(
                given["name"], "OXF0105", f"`{reference}` is no Rust function", spot, fix="name it under `python`"
            )
        elif arguments is not None:
            self._unmade(given["name"], reference, "it takes no arguments", "remove `with`", spot)
        # Never called with them: it may be anything that can be imported.
        return found

    def _made(self, step: str, reference: str, make: Callable[[], Any], spot: Spot) -> Any:
        try:
            return make()
        except (TypeError, ExtensionError) as error:
            why = error.diagnostics[0].why if isinstance(error, ExtensionError) else str(error)
            fix = "give it under `with` the arguments that its `new` takes"
            self._unmade(step, reference, why, fix, spot)
            return None

    def _unmade(self, step: str, reference: str, why: str | None, fix: str, spot: Spot) -> None:
        self._report(step, "OXF0604", f"`{reference.rpartition(':')[2]}` can't be made", spot, fix=fix, why=why)

    def _type(self, given: Mapping[str, Any], spot: Spot) -> Any:
        if "python" in given:
            return self._imported(given["name"], given["python"], spot)
        found = self._found(given["name"], given["type"], spot)
        if found is not None and not hasattr(found, NATIVE_TYPE):
            wrong = f"`{given['type']}` is no Rust type"
            self._report(given["name"], "OXF0105", wrong, spot, fix="name it under `python`")
        return found

    def _found(self, step: str, reference: str, spot: Spot) -> Any:
        """Find what is in Rust."""
        if ":" not in reference:
            if self.module is None:
                fix = f"write `package.module:{reference}`, or `module: package.module` at the top of the file"
                self._report(step, "OXF0105", f"`{reference}` is in no module", spot, fix=fix)
                return None
            reference = f"{self.module}:{reference}"
        return self._imported(step, reference, spot)

    def _imported(self, step: str, reference: str, spot: Spot) -> Any:
        try:
            return imported(reference)
        except UnfitFunctionError as error:
            self._report(step, error.code, error.message, spot, fix=error.fix, why=error.why)
            return None

    def _report(
        self, step: str, code: str, message: str, spot: Spot, *, fix: str | None = None, why: str | None = None
    ) -> None:
        self.wrong.append(Diagnostic(code, f"step `{step}`: {message}", place_of(spot), why, fix))


def _is_class(found: object) -> bool:
    return isinstance(found, type) and issubclass(found, RustFunction)


def _is_object(found: object) -> bool:
    return isinstance(found, RustFunction)


def _is_rust(reference: str) -> bool:
    try:
        return _is_object(imported(reference))
    except UnfitFunctionError:
        return False


def _at(item: T, spot: Spot) -> T:
    """Let an error point at the line of the file, and not at the line here that made the item."""
    object.__setattr__(item, "spot", spot)
    return item


def written(pipeline: Pipeline[Any]) -> str:
    """Write a pipeline as YAML.

    Args:
        pipeline: its functions and types are in modules, under names.

    Raises:
        PlanError: a function or type has no name by which it could be found again; lists all of them.
    """
    writing = _Writing()
    steps = writing.steps(pipeline.steps, "  ")
    if writing.wrong:
        raise PlanError(*writing.wrong)
    source = pipeline.source
    read = {"streams": [source.stream_name, *source.more]} if source.more else {"stream": source.stream_name}
    return f"source: {_flow({'name': source.name, **read})}\nsteps:\n" + "".join(f"{line}\n" for line in steps)


@dataclass
class _Writing:
    """What can't be written."""

    wrong: list[Diagnostic] = field(default_factory=list[Diagnostic])

    def steps(self, steps: Iterable[Step], margin: str) -> list[str]:
        return [line for step in steps for line in self._step(step, margin)]

    def _step(self, step: Step, margin: str) -> list[str]:
        match step:
            case Route():
                head = {"name": step.name, **self._function(step, step.routing_function)}
                ways = [({"key": key, "name": way.name}, way) for key, way in step.routing_table]
                return self._branches("route", head, ways, margin)
            case Broadcast():
                ways = [({"name": way.name}, way) for way in step.routes]
                return self._branches("broadcast", {"name": step.name}, ways, margin)
            case _:
                kind, given = self._simple(step)
                return [f"{margin}- {kind}: {_flow({'name': step.name, **given})}"]

    def _simple(self, step: Step) -> tuple[str, dict[str, Any]]:
        # The match narrows `step` to a generic class whose arguments nobody knows.
        owner, kind = step, type(step)
        match step:
            case Map() | FlatMap() | Filter():
                return _WORDS[kind], self._function(owner, step.function)
            case Batch():
                time = step.batch_timedelta
                time_ms = None if time is None else milliseconds(time)
                limits = {"messages": step.batch_size, "bytes": step.batch_bytes, "time_ms": time_ms}
                return "batch", {name: limit for name, limit in limits.items() if limit is not None}
            case Parser():
                return "parser", {**self._type(owner, step.msg_type), **_unless_json(step.codec)}
            case Serializer():
                return "serializer", _unless_json(step.codec)
            case StreamSink():
                return "sink", {"stream": step.stream_name}
            case _:
                raise TypeError(f"{step!r} is no step of a pipeline")

    def _branches(
        self,
        kind: str,
        head: Mapping[str, Any],
        ways: Iterable[tuple[Mapping[str, Any], Branch[Any, Any]]],
        margin: str,
    ) -> list[str]:
        lines = [f"{margin}- {kind}:", *(f"{margin}    {key}: {_value(value)}" for key, value in head.items())]
        lines.append(f"{margin}    branches:")
        for keys, way in ways:
            first, *rest = [f"{key}: {_value(value)}" for key, value in keys.items()]
            lines += [f"{margin}      - {first}", *(f"{margin}        {line}" for line in rest)]
            lines += [f"{margin}        steps:", *self.steps(way.steps, f"{margin}          ")]
        return lines

    def _function(self, step: Step, function: Any) -> dict[str, Any]:
        if isinstance(function, str):
            # A reference doesn't say of which language it is, and a program refuses what is called Python.
            return {"function" if _is_rust(function) else "python": function}
        if not _is_object(function):
            return {"python": self._named(step, function, reference_of(function))}
        arguments: dict[str, Any] = json.loads(function._arguments or "{}")  # noqa: SLF001  # what it was made of
        return {"function": reference_of(function), **({"with": arguments} if arguments else {})}

    def _type(self, step: Step, annotation: Any) -> dict[str, Any]:
        reference = f"{getattr(annotation, '__module__', '')}:{getattr(annotation, '__qualname__', annotation)}"
        if hasattr(annotation, NATIVE_TYPE):
            return {"type": reference}
        return {"python": self._named(step, annotation, reference)}

    def _named(self, step: Step, item: Any, reference: str) -> str:
        try:
            is_found = imported(reference) is item
        except UnfitFunctionError:
            is_found = False
        if not is_found:
            message = f"step `{step.name}`: `{reference}` has no name in a module by which it could be found again"
            fix = "give it one, or write the step in Rust"
            self.wrong.append(Diagnostic("OXF0105", message, place_of(step.spot), fix=fix))
        return reference


def _unless_json(codec: str) -> dict[str, str]:
    return {} if codec == "json" else {"codec": codec}


def _flow(fields: Mapping[str, Any]) -> str:
    inside = ", ".join(f"{key}: {_value(value)}" for key, value in fields.items())
    return f"{{ {inside} }}"


def _value(value: Any) -> str:
    """Spell a value as YAML reads it: as JSON, and without quotes where these aren't needed."""
    if isinstance(value, str) and _PLAIN.fullmatch(value) and value.lower() not in _TAKEN:
        return value
    return json.dumps(value, ensure_ascii=False)
