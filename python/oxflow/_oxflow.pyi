"""The extension module.

Made by `make stubs`; not edited by hand.
"""

from _typeshed import ReadableBuffer
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping, Sequence
from os import PathLike
from pathlib import Path
from types import GenericAlias, TracebackType
from typing import Any, Generic, Literal, SupportsFloat, SupportsIndex, TypeVar, final, overload
from typing_extensions import disjoint_base

from oxflow.errors import FetchError

_T = TypeVar("_T", covariant=True)
_U = TypeVar("_U")
_F = TypeVar("_F", bound=Callable[..., Any])

__all__ = ['Advance', 'Builder', 'Cache', 'CurrentSpan', 'Extracted', 'Fetched', 'Fetching', 'GeneratedRange', 'Instrument', 'JsonDecoder', 'Logger', 'Matcher', 'Matching', 'Message', 'MsgPackDecoder', 'NativeFunction', 'NativeType', 'Origin', 'OriginalScope', 'RamBundle', 'Request', 'Run', 'Scopes', 'SignalWatch', 'SourceMap', 'Span', 'StreamReader', 'StreamWriter', 'SymbolCache', 'Token', 'Tokens', 'Tracer', 'TracerSpan', 'abi_version', 'after_fork_in_child', 'arrow_column', 'begin_telemetry', 'check', 'check_config', 'config_schema', 'connect_module', 'current_span', 'describe_module', 'duration', 'encode_json', 'encode_msgpack', 'error_codes', 'explain', 'extract_headers', 'fetch_document', 'flatten_tasks', 'flush_telemetry', 'forget_records', 'get_baggage', 'graph', 'inject_headers', 'listen', 'load_config', 'load_definition', 'map_reference', 'own_functions', 'pipeline_schema', 'protobuf_types', 'render', 'report_text', 'runs', 'schema_types', 'sdk_sources', 'set_baggage', 'start_span', 'symbolicated_json', 'symbolicated_text', 'telemetry_stats']

@final
class Advance:
    """
    A step of the controlled clock, among the messages of a stream in memory.
    """

    def __eq__(self, value: object, /) -> bool:
        ...

    def __ne__(self, value: object, /) -> bool:
        ...

    def __new__(cls, /, seconds: SupportsFloat | SupportsIndex) -> Advance:
        ...

    def __repr__(self, /) -> str:
        ...

    @property
    def seconds(self, /) -> float:
        """
        How far the clock moves.
        """

@final
class Builder:
    """
    Makes a source map: sources and names each once, segments in any order.
    """

    def __new__(cls, /, file: str | None=None, *, debug_id: str | None=None) -> Builder:
        ...

    def add(self, /, line: SupportsIndex, column: SupportsIndex, source: int | str | None=None, source_line: SupportsIndex=0, source_column: SupportsIndex=0, name: int | str | None=None) -> None:
        """
        Add a segment: a place in the generated code, the place in a source that it comes from, and its name there. `source` and `name` are
        texts, or indices that were given. Lines and columns count from 0, columns in UTF-16 units.

        Raises `BadReference` for an index that wasn't given, `LimitExceeded` for a line or column of 2^31 or more, `ValueError` for a
        name without a source.
        """

    def add_name(self, /, name: str) -> int:
        """
        Add a name, if it isn't there; give its index.
        """

    def add_source(self, /, name: str | None, content: str | None=None, *, ignored: bool=False) -> int:
        """
        Add a source, if it isn't there, with its text and whether debuggers should step over it; give its index. `None` is a source without
        a name, each time another one.
        """

    def build(self, /) -> SourceMap:
        """
        Make the map; the builder is empty then.

        Raises `LimitExceeded` if a segment lies on line 2^26 or beyond.
        """

@final
class Cache(SourceMap):
    """
    A source map in an index file: looked up where it lies, without being read.

    It opens in the same short time whatever its size, and processes that map one file share its memory.
    """

    def __repr__(self, /) -> str:
        ...

    @staticmethod
    def build(source_map: SourceMap | ReadableBuffer, path: str | PathLike[str], *, minified: ReadableBuffer | None=None, content: Literal['zstd', 'raw', 'none']='zstd', durable: bool=True) -> None:
        """
        Write the index of a map, or of the bytes of one, to a file: all of it or nothing. Who has the old file open keeps it.

        `minified` is the script that the map is of: of its functions the index knows the names then, if the map doesn't say them
        itself. `content` says how the texts of the sources are kept: "zstd", "raw" or "none". With `durable` the file survives a loss of
        power.

        Raises `OSError` if the file can't be written, and for bytes what `SourceMap.from_bytes` raises.
        """

    @classmethod
    def open(cls, /, source: str | PathLike[str] | ReadableBuffer, *, verify: bool=False, mmap: bool=True) -> Cache:
        """
        Open an index file, by its path or as bytes.

        What is damaged raises `IndexCorrupt` when it is used, or with `verify` now. A file is mapped into memory, which `mmap=False`
        does not do: a file that somebody cuts short while it is mapped ends the process, and one that is changed in place may give any
        answer, so read those that others may change. `Cache.build` replaces a file and never changes one.

        Raises `IndexVersion` for a file of another format, `IndexCorrupt` for what is no index, `OSError` for what can't be read.
        """

@final
class CurrentSpan:
    """
    A span that begins with `with`, and is current inside of it; as a decorator, one for each call.
    """

    def __call__(self, /, function: _F) -> _F:
        """
        As a decorator: each call of the function is such a span.
        """

    def __enter__(self, /) -> TracerSpan:
        ...

    def __exit__(self, /, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        ...

    def _again(self, /) -> CurrentSpan:
        """
        Another one like it, that hasn't begun.
        """

@final
class Extracted:
    """
    Where a request came from. It is current inside of `with`.
    """

    def __enter__(self, /) -> Extracted:
        ...

    def __exit__(self, /, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        ...

    @property
    def baggage(self, /) -> dict[str, str]:
        """
        Names and values that came along.
        """

    def restore(self, /) -> None:
        """
        Go back to what was current before.
        """

    @property
    def span(self, /) -> Span | None:
        """
        The span that the request was made in, `None` if it names none.
        """

@final
class Fetched:
    """
    What came of one request: a response of any status, or an error.
    """

    def __repr__(self, /) -> str:
        ...

    @property
    def attempts(self, /) -> int:
        """
        How often it was tried; 0 if it could not be sent at all.
        """

    @property
    def body(self, /) -> bytes:
        """
        The body of the response as it came; empty if there is none.
        """

    @property
    def elapsed_s(self, /) -> float:
        """
        From the first attempt to the end of the last, in seconds.
        """

    @property
    def error(self, /) -> FetchError | None:
        """
        Why there is no response, an `oxflow.FetchError`; `None` if there is one, whatever its status.
        """

    @property
    def headers(self, /) -> dict[str, str]:
        """
        The headers of the response by their names in small letters; those that came several times joined by commas.
        """

    @property
    def index(self, /) -> int:
        """
        Its place among the requests.
        """

    def json(self, /) -> Any:
        """
        Read the body as JSON.

        Raises:
            `ValueError`: it is none.
        """

    @property
    def ok(self, /) -> bool:
        """
        Whether there is a response, with a status below 400.
        """

    def raise_for_status(self, /) -> Fetched:
        """
        Return this result if it is `ok`.

        Raises:
            `FetchError`: there is no response, or one with a status of 400 or more.
        """

    @property
    def status(self, /) -> int | None:
        """
        200, 404, ...; `None` if there is no response.
        """

    @property
    def url(self, /) -> str:
        """
        Where the response came from in the end, after redirects; what was asked if there is none.
        """

@final
class Fetching:
    """
    Requests under way. `oxflow.scheduler.fetch_all` is its face.
    """

    def __new__(cls, /, requests: Iterable[Any], *, concurrency: SupportsIndex, timeout_s: SupportsFloat | SupportsIndex, retries: SupportsIndex, backoff_s: SupportsFloat | SupportsIndex, body_bytes: SupportsIndex, headers: Sequence[tuple[str, str]], wakes: bool) -> Fetching:
        ...

    def cancel(self, /) -> None:
        """
        Give up what is not done.
        """

    def fileno(self, /) -> int:
        """
        The descriptor that becomes readable when there is something to take.
        """

    def step(self, /, wait_s: SupportsFloat | SupportsIndex) -> list[Fetched] | None:
        """
        Hand in what there is room for, and return what is done; wait for some of it at most `wait_s`. `None` when all is done.
        """

@final
class GeneratedRange:
    """
    A range of the generated code.

    Lines and columns count from 0, columns in UTF-16 units.
    """

    @property
    def bindings(self, /) -> list[list[tuple[tuple[int, int], str | None]]]:
        """
        For each variable of its scope the expressions that have its value, each with the place from which on it does; `None` for a
        stretch where none does.
        """

    @property
    def call_site(self, /) -> tuple[int, int, int] | None:
        """
        Index of the source, line and column of the call, if it is a function that was put in the place of its call.
        """

    @property
    def definition(self, /) -> int | None:
        """
        Index of the scope that became it.
        """

    @property
    def end(self, /) -> tuple[int, int]:
        """
        Line and column of the first place behind it.
        """

    @property
    def is_hidden(self, /) -> bool:
        """
        Whether stack traces should leave that function out.
        """

    @property
    def is_stack_frame(self, /) -> bool:
        """
        Whether it is a function of the generated code.
        """

    @property
    def parent(self, /) -> int | None:
        """
        Index of the range that it stands in.
        """

    @property
    def start(self, /) -> tuple[int, int]:
        """
        Line and column at which it begins.
        """

@disjoint_base
class Instrument:
    """
    Something that is measured. The classes of `oxflow.telemetry` are its faces.
    """

    def __new__(cls, /, kind: str, name: str, unit: str, description: str, bounds: Sequence[SupportsFloat | SupportsIndex] | None, meter: str, version: str | None, schema_url: str | None, attributes: Mapping[str, Any] | None, callback: Callable[[], Any] | None) -> Instrument:
        ...

    def _record(self, /, amount: float, attributes: Mapping[str, Any] | None=None, context: Any=None) -> None:
        """
        Take a measurement; what isn't finite, or would make a counter shrink, is passed over. A `context` changes nothing: points have no exemplars.
        """

    @property
    def name(self, /) -> str:
        """
        Its name.
        """

@final
class JsonDecoder:
    """
    Reads JSON bytes into a value of a type and checks it.

    Raises `DecodeError` for bytes that are not strict JSON (UTF-8, no `NaN`, no infinity) or not of the type. Of a key that
    comes twice the last counts.
    """

    def __call__(self, data: bytes, /) -> Any:
        ...

    def __new__(cls, /, parts: list[tuple[Any, ...]], root: SupportsIndex) -> JsonDecoder:
        """
        `parts` are those of the type, as `oxflow._convert` describes them; `root` is the number of the whole.
        """

@disjoint_base
class Logger:
    """
    Makes log records under a name. `oxflow.telemetry.Logger` is its face.
    """

    def __new__(cls, /, name: str, version: str | None=None, schema_url: str | None=None, attributes: Mapping[str, Any] | None=None) -> Logger:
        ...

    def debug(self, /, message: Any, *, attributes: Mapping[str, Any] | None=None) -> None:
        """
        For who looks for a fault.
        """

    def emit(self, /, severity: SupportsIndex, body: Any, attributes: Mapping[str, Any] | None=None, *, severity_text: str | None=None, time_ns: SupportsIndex | None=None, observed_ns: SupportsIndex | None=None, event_name: str | None=None, span: Any=...) -> None:
        """
        Make a record.

        Args:
            severity: from 1 to 24, in groups of four from trace to fatal; 0 if nobody gave it one.
            body: what it says.
            attributes: names and values.
            `severity_text`: the severity in the words of who made it.
            `time_ns`: when it was, in nanoseconds since 1970, if that isn't now.
            `observed_ns`: when it was seen, if that isn't now.
            `event_name`: the kind of event that it is.
            span: the one that it was made in, if that isn't the current one; whatever has the fields of OpenTelemetry's `SpanContext` will do.
        """

    def error(self, /, message: Any, *, attributes: Mapping[str, Any] | None=None) -> None:
        """
        Something failed.
        """

    def fatal(self, /, message: Any, *, attributes: Mapping[str, Any] | None=None) -> None:
        """
        Nothing goes on.
        """

    def info(self, /, message: Any, *, attributes: Mapping[str, Any] | None=None) -> None:
        """
        Something worth knowing happened.
        """

    def is_enabled(self, /, severity: SupportsIndex) -> bool:
        """
        Whether anybody takes records of this severity, from 1 to 24, or of none, 0.
        """

    @property
    def name(self, /) -> str:
        """
        Its name.
        """

    def trace(self, /, message: Any, *, attributes: Mapping[str, Any] | None=None) -> None:
        """
        Everything.
        """

    def warn(self, /, message: Any, *, attributes: Mapping[str, Any] | None=None) -> None:
        """
        Something is wrong, and work goes on.
        """

@final
class Matcher:
    """
    Offers, and what tasks are placed on them by. `oxflow.scheduler.Matcher` is its face.
    """

    def __contains__(self, name: str, /) -> bool:
        ...

    def __len__(self, /) -> int:
        ...

    def __new__(cls, /, *, resources: Sequence[str], formula: str, weights: Sequence[SupportsFloat | SupportsIndex], threshold: SupportsFloat | SupportsIndex, good_enough: SupportsFloat | SupportsIndex | None, shared: bool, fair: bool, score: Any | None, task_fields: dict[str, str], offer_fields: dict[str, str]) -> Matcher:
        ...

    def add_offer_columns(self, /, names: list[str], columns: Sequence[bytes], attributes: dict[str, list[Any]]) -> None:
        """
        Adds offers that are columns, each the bytes of 64-bit floats.
        """

    def add_offers(self, /, offers: Any) -> None:
        """
        Adds offers that are objects.
        """

    def match(self, /, tasks: Any, done: set[str]) -> Matching:
        """
        Places tasks that are objects.
        """

    def match_columns(self, /, names: list[str], columns: Sequence[bytes], fields: dict[str, list[Any]], done: set[str]) -> Matching:
        """
        Places tasks that are columns, each the bytes of 64-bit floats.
        """

    def offers(self, /) -> list[tuple[str, list[float]]]:
        """
        Names and free amounts of the offers in line.
        """

    def remove_offer(self, /, name: str) -> None:
        """
        Takes an offer out of the line.
        """

    def update_offer(self, /, name: str, amounts: dict[str, float | str]) -> None:
        """
        Changes what an offer has of some resources.
        """

    def update_offers(self, /, offers: Any) -> None:
        """
        Changes offers to what these objects say.
        """

@final
class Matching:
    """
    What came of a round. `oxflow.scheduler.Matching` is its face.
    """

    def __len__(self, /) -> int:
        ...

    def as_dict(self, /) -> dict[str, str]:
        """
        Return offer name -> task name, in the order of placement; of an offer with several tasks the last.
        """

    def explain(self, /, task: str) -> str:
        """
        Return why a task was left over, as JSON.
        """

    def left_over(self, /) -> list[tuple[str, str, str | None]]:
        """
        Return (task name, cause, what the cause names) of each task left over, in the order of their turns.
        """

    def pairs(self, /) -> list[tuple[str, str]]:
        """
        Return (task name, offer name) in the order of placement.
        """

    def placed(self, /) -> list[int]:
        """
        Return the place of each placed task among the tasks.
        """

    @property
    def shared(self, /) -> bool:
        """
        Whether an offer may take several tasks.
        """

    def stats(self, /) -> str:
        """
        Return what the round did, as JSON.
        """

@final
class Message(Generic[_T]):
    """
    A payload on its way through a pipeline, with what is known about it.

    A message does not change; `replace` makes another one. Functions of steps take a message and return the new payload,
    or a message where key, headers or timestamp are to change too.
    """

    def __eq__(self, other: object, /) -> bool:
        ...

    def __getnewargs_ex__(self, /) -> tuple[tuple[Any, ...], dict[str, Any]]:
        ...

    def __new__(cls, /, payload: _T, *, key: bytes | None=None, headers: Iterable[tuple[str, bytes]] | None=..., timestamp: SupportsFloat | SupportsIndex | None=None, origin: Origin | None=None) -> Message[_T]:
        ...

    def __repr__(self, /) -> str:
        ...

    @property
    def headers(self, /) -> tuple[tuple[str, bytes], ...]:
        """
        The headers in their order, each a name and a value; a name may occur more than once.
        """

    @property
    def is_tombstone(self, /) -> bool:
        """
        Whether the message was read without a payload, as Kafka's deletions are. Its payload then reads as `b""`.
        """

    @property
    def key(self, /) -> bytes | None:
        """
        The key, or `None`.
        """

    @property
    def origin(self, /) -> Origin | None:
        """
        Where the message was read, or `None` for a message that was made by hand.
        """

    @property
    def payload(self, /) -> _T:
        """
        What the message carries.
        """

    @overload
    def replace(self, *, key: bytes | None=..., headers: Iterable[tuple[str, bytes]]=..., timestamp: float=...) -> Message[_T]:
        """
        Make a message that differs in what is given.
        """
        ...

    @overload
    def replace(self, *, payload: _U, key: bytes | None=..., headers: Iterable[tuple[str, bytes]]=..., timestamp: float=...) -> Message[_U]:
        """
        Make a message that differs in what is given.
        """
        ...

    @property
    def timestamp(self, /) -> float | None:
        """
        Seconds since 1970-01-01 UTC, or `None` for a message that was made without a time.
        """

    def __class_getitem__(cls, key: Any) -> GenericAlias:
        ...

@final
class MsgPackDecoder:
    """
    Reads msgpack into a value of a type and checks it.

    Raises `DecodeError` for bytes that are not msgpack or not of the type, and for extension types, timestamps among them. Of a
    key that comes twice the last counts.
    """

    def __call__(self, data: bytes, /) -> Any:
        ...

    def __new__(cls, /, parts: list[tuple[Any, ...]], root: SupportsIndex) -> MsgPackDecoder:
        """
        `parts` are those of the type, as `oxflow._convert` describes them; `root` is the number of the whole.
        """

@final
class NativeFunction:
    """
    A function of an extension.
    """

    def __new__(cls, /, capsule: Any, index: SupportsIndex) -> NativeFunction:
        ...

    def made_of(self, /, arguments: bytes) -> NativeFunction:
        """
        Make the function of its arguments, a JSON object.
        """

    @property
    def module(self, /) -> int:
        """
        The number of its module's tables.
        """

    def run(self, /, message: Message[Any], encode: Callable[[Any], bytes], decode: Callable[[bytes], Any]) -> Any:
        """
        Run the function on one message, outside of any pipeline.

        `encode` makes JSON of a payload that isn't read as it is, `decode` makes the result of JSON, or checks it.
        """

@final
class NativeType:
    """
    A payload type of an extension.
    """

    def __new__(cls, /, capsule: Any, index: SupportsIndex) -> NativeType:
        ...

    @property
    def module(self, /) -> int:
        """
        The number of its module's tables.
        """

@final
class Origin:
    """
    Where a message was read.
    """

    def __eq__(self, value: object, /) -> bool:
        ...

    def __getnewargs__(self, /) -> tuple[str, int, int]:
        ...

    def __hash__(self, /) -> int:
        ...

    def __ne__(self, value: object, /) -> bool:
        ...

    def __new__(cls, /, stream: str, partition: SupportsIndex, offset: SupportsIndex) -> Origin:
        ...

    def __repr__(self, /) -> str:
        ...

    @property
    def offset(self, /) -> int:
        """
        Offset in the partition; in a file the number of the line, from 0.
        """

    @property
    def partition(self, /) -> int:
        """
        Partition of the stream; of several files the number in the order of their names.
        """

    @property
    def stream(self, /) -> str:
        """
        Logical name of the stream.
        """

@final
class OriginalScope:
    """
    A scope of a source.

    Lines and columns count from 0, columns in UTF-16 units.
    """

    @property
    def end(self, /) -> tuple[int, int]:
        """
        Line and column of the first place behind it.
        """

    @property
    def is_stack_frame(self, /) -> bool:
        """
        Whether it is a function, which stack traces show.
        """

    @property
    def kind(self, /) -> str | None:
        """
        What it is, for people.
        """

    @property
    def name(self, /) -> str | None:
        """
        Its name, if it is of a function or class.
        """

    @property
    def parent(self, /) -> int | None:
        """
        Index of the scope that it stands in.
        """

    @property
    def source(self, /) -> int:
        """
        Index of the source.
        """

    @property
    def start(self, /) -> tuple[int, int]:
        """
        Line and column at which it begins.
        """

    @property
    def variables(self, /) -> list[str]:
        """
        The names of what it declares.
        """

@final
class RamBundle:
    """
    A RAM bundle of Metro: startup code, and modules that are loaded one by one.

    A place in a module is a place of the map at `SourceMap.module_lines` of it: `lookup(module_lines[module] + line, column)`.
    """

    @classmethod
    def from_bytes(cls, /, data: ReadableBuffer, *, max_bytes: SupportsIndex=...) -> RamBundle:
        """
        Read a bundle in one file, as iOS has it, out of any buffer. All its modules are checked to lie in it.

        Raises `InvalidBundle`, or `LimitExceeded` for more than `max_bytes`.
        """

    @classmethod
    def from_path(cls, /, path: str | PathLike[str], *, max_bytes: SupportsIndex=...) -> RamBundle:
        """
        Read a bundle by the path of its startup code: one file, or as Android has it the folder `js-modules` beside it.

        Raises `InvalidBundle`, `LimitExceeded` for more than `max_bytes` in all, `OSError` for what can't be read.
        """

    def module(self, /, number: SupportsIndex) -> bytes | None:
        """
        The code of a module; `None` if there is none of this number.
        """

    @property
    def modules(self, /) -> list[int]:
        """
        The numbers of the modules that are there, ascending.
        """

    @property
    def startup_code(self, /) -> bytes:
        """
        The code that runs first.
        """

@final
class Request:
    """
    One request of `fetch_all`.

    It is checked when it is sent: what is wrong with it is the error of its own result.
    """

    def __new__(cls, /, url: str, *, method: str='GET', headers: Mapping[str, str] | None=None, body: bytes | str | None=None, json: Any=...) -> Request:
        """
        Say what to ask.

        Args:
            url: `http://` or `https://`.
            method: `GET`, `POST`, ...
            headers: names and values. The length is added; `user-agent` and `accept` where they are not given.
            body: the body; text is UTF-8.
            json: the body as an object, in place of `body`; adds `content-type: application/json`.
        """

    def __repr__(self, /) -> str:
        """
        Headers may be secrets, and so may a query.
        """

    @property
    def method(self, /) -> str:
        """
        What is asked.
        """

    @property
    def url(self, /) -> str:
        """
        Where it goes.
        """

@final
class Run:
    """
    A run of a pipeline, in threads of its own.
    """

    def __new__(cls, /, plan: str, config: str, functions: dict[str, object], decoders: dict[str, Callable[[bytes], Any]], encoders: tuple[Callable[[Any], bytes], Callable[[Any], bytes]], streams: dict[str, list[Any] | str], manual_clock: bool) -> Run:
        """
        `encoders` are those of JSON and msgpack.
        """

    def drain(self, /) -> None:
        """
        End reading, and stop between two messages; what was handled is delivered.
        """

    def outputs(self, /) -> dict[str, list[Message[bytes]]]:
        """
        Return what the sinks in memory received, by stream.
        """

    def report(self, /) -> str:
        """
        Return what the run did so far, as JSON.
        """

    def result(self, /) -> None:
        """
        Raise what ended the run, if it failed.
        """

    def start(self, /) -> None:
        """
        Check, open the streams and start the lanes.
        """

    def take_records(self, /) -> list[dict[str, Any]]:
        """
        Return what extensions have logged since this was asked last, each record once.
        """

    def wait(self, /, timeout_s: SupportsFloat | SupportsIndex) -> bool:
        """
        Wait for the end of the run for so many seconds, without the interpreter; return whether nothing of it goes on. Returns
        sooner if extensions have recorded something: `take_records` has it.
        """

@final
class Scopes:
    """
    The scopes of the sources and the ranges of the generated code, those that stand in others behind them.
    """

    @property
    def originals(self, /) -> list[OriginalScope]:
        """
        Of the sources.
        """

    @property
    def ranges(self, /) -> list[GeneratedRange]:
        """
        Of the generated code.
        """

@final
class SignalWatch:
    """
    Watches the signals of a process while a run goes on.
    """

    def __new__(cls, /, run: Run, numbers: Sequence[SupportsIndex], exit_code: SupportsIndex) -> SignalWatch:
        """
        Let the first of the signals `numbers` drain `run`, and the second end the process with `exit_code`.
        """

    def close(self, /) -> None:
        """
        Watch no longer. The descriptor must not be in use any more.
        """

    def fileno(self, /) -> int | None:
        """
        Return the descriptor for `signal.set_wakeup_fd`; `None` where that takes none of a pipe.
        """

@disjoint_base
class SourceMap:
    """
    A source map of ECMA-426: with or without sections, never changed, free to share between threads.
    """

    def __len__(self, /) -> int:
        """
        How many segments there are.
        """

    def __repr__(self, /) -> str:
        ...

    def adjust(self, /, edit: SourceMap) -> SourceMap:
        """
        Make the map of the generated file after an edit, whose map `edit` leads from places in the edited file to places in the file as
        it was; of that map only the mappings are used.

        Segments go where the edit moved them, and are cut where it cut; what was inserted has none.
        """

    def compose(self, /, inner: SourceMap, source: int | str | None=None) -> SourceMap:
        """
        Make one map of two: this one, and the map `inner` of a source of this one, which is generated itself.

        A lookup then gives what two would, first here and then in `inner`. The name is that of `inner`, where it has one; what `inner` has
        nothing for has no source; segments of other sources stay. `source` is an index or a name; it need not be given where there is
        only one, or one with the name or file name that `inner` says its file has.

        Raises `ValueError` if it isn't known which source is meant.
        """

    def context(self, /, token: Token, before: SupportsIndex=5, after: SupportsIndex=5) -> tuple[list[str], str, list[str]] | None:
        """
        The lines of the source around a token: those before, the line itself, those after; `None` if the map has no text of it.
        """

    @property
    def debug_id(self, /) -> str | None:
        """
        The debug id that the generated file has as well.
        """

    @property
    def file(self, /) -> str | None:
        """
        The file that the map is of, as it says.
        """

    def flatten(self, /) -> SourceMap:
        """
        The same map without sections.

        Raises `LimitExceeded` if the sections reach to line 2^26 or beyond.
        """

    @classmethod
    def from_bytes(cls, /, data: ReadableBuffer, *, encoding: str | None=None, strict: bool=False, max_bytes: SupportsIndex=..., max_segments: SupportsIndex=..., max_depth: SupportsIndex=128, max_strings: SupportsIndex=..., max_string_bytes: SupportsIndex=...) -> SourceMap:
        """
        Read a map out of bytes: any buffer, with or without a byte order mark or the prefix `)]}'`.

        `bytes` are kept and not copied. Compressed bytes are unpacked, up to `max_bytes`: gzip and zstd are known by their beginning,
        brotli by `encoding="br"`, the word of HTTP. All mappings are checked now. What is wrong but does no harm is mended and told in
        `warnings`, unless `strict`: then every map that ECMA-426 calls invalid is refused.

        Raises `SourceMapError`: `InvalidJson`, `UnsupportedVersion`, `InvalidMappings`, `BadReference`, `InvalidSection`, or
        `LimitExceeded` for more than `max_bytes`, `max_segments`, JSON nested deeper than `max_depth`, more than `max_strings` sources,
        contents and names, or more than `max_string_bytes` of sources, each with `sourceRoot`, and names.
        """

    @classmethod
    def from_data_url(cls, /, url: str, *, strict: bool=False, max_bytes: SupportsIndex=..., max_segments: SupportsIndex=..., max_depth: SupportsIndex=128, max_strings: SupportsIndex=..., max_string_bytes: SupportsIndex=...) -> SourceMap:
        """
        Read a map out of a data URL, as `find_reference` may give one; the rest is as for `from_bytes`.
        """

    @classmethod
    def from_path(cls, /, path: str | PathLike[str], *, strict: bool=False, max_bytes: SupportsIndex=..., max_segments: SupportsIndex=..., max_depth: SupportsIndex=128, max_strings: SupportsIndex=..., max_string_bytes: SupportsIndex=...) -> SourceMap:
        """
        Read a map out of a file, whose name may end in `.gz`, `.zst` or `.br`; the rest is as for `from_bytes`.
        """

    def function_at(self, /, line: int, column: int, minified: ReadableBuffer | None=None) -> str | None:
        """
        Find what the function is called that a place of the generated code is in; `None` outside of functions, in those without a
        name, and where nothing says.

        The map says it in `scopes` or `x_facebook_sources`. If it has neither, `minified` is asked, the script that the map is of:
        a function is called what the script calls it or assigns it to, each identifier as the map has it. It is read once for a
        `bytes` object, and each time for other buffers. `Cache.build(..., minified=...)` keeps the answers.

        Raises `LimitExceeded` for a script that is nested deeper than 10,000 brackets.
        """

    @property
    def function_offsets(self, /) -> dict[int, list[int]]:
        """
        Where functions begin in each segment of Hermes' bytecode (`x_hermes_function_offsets`): a place in a function, in
        bytes, is at line 0 and that column more.
        """

    def generated_for(self, /, source: int | str, line: int, column: int, *, all: bool=False) -> list[Token]:
        """
        Find the places of the generated code that come from a place of a source: its nearest segment at or before `column`
        on that line, as the first token, or with `all` as every one. `source` is an index or a name.

        The first call sorts all segments, which takes time and memory.
        """

    def ignored(self, /, source: int | str) -> bool:
        """
        Whether a source, by index or name, is on the ignore list.
        """

    @property
    def line_count(self, /) -> int:
        """
        How many lines of the generated code the mappings reach.
        """

    def lookup(self, /, line: int, column: int, *, bias: Literal['glb', 'lub']='glb') -> Token | None:
        """
        Find where a place of the generated code comes from: the first segment that begins there, else the nearest one of the
        same line before it (`bias="glb"`) or after it (`"lub"`). `None` if there is none; never one of another line.

        `line` and `column` count from 0, columns in UTF-16 units; negative and huge ones have no token.
        """

    def lookup_many(self, /, lines: ReadableBuffer | Sequence[int], columns: ReadableBuffer | Sequence[int]) -> Tokens:
        """
        Look up many places at once: two buffers of integers (of `numpy`, `array`, `memoryview`) or sequences of `int`, of one
        length. Sorted inside, and so many times as quick as single lookups.

        Raises `ValueError` if the lengths differ, `TypeError` for buffers of other types.
        """

    @property
    def module_lines(self, /) -> list[int | None]:
        """
        The lines of the generated code at which the modules of a RAM bundle begin, by their numbers (`x_facebook_offsets`).
        """

    @property
    def names(self, /) -> tuple[str, ...]:
        """
        The names.
        """

    def rewrite(self, /, *, sources: Mapping[str, str] | None=None, strip_prefixes: Sequence[str]=..., contents: Mapping[str, str] | None=None, keep_contents: bool=True, keep_names: bool=True) -> SourceMap:
        """
        Make the same map with other names for its sources, without sections.

        `sources` gives new names by the ones they have. Of other names the first of `strip_prefixes` that they begin with is taken off, with
        the `/` behind it; `"~"` stands for the folder that all sources have in common. `contents` gives texts by new names. With
        `keep_contents=False` the texts that the map has are left out, with `keep_names=False` all names.
        """

    @property
    def scopes(self, /) -> Scopes | None:
        """
        The scopes that the map tells of, a proposal of the standard; `None` if it tells of none.
        """

    def source_content(self, /, source: int | str) -> str | None:
        """
        The text of a source, by index or name; `None` if the map doesn't have it.
        """

    @property
    def sources(self, /) -> tuple[str | None, ...]:
        """
        The sources, with `sourceRoot`; `None` where the map has null.
        """

    def to_json(self, /) -> bytes:
        """
        The map as JSON without sections.
        """

    @property
    def warnings(self, /) -> list[str]:
        """
        What was wrong with the map and mended, a sentence each.
        """

@disjoint_base
class Span:
    """
    A stretch of time in a trace, from `start_span` to `end()`, or to the end of its `with`.

    Inside of `with` it is the current one: spans and log records that are made there are in it. It may end in any thread or task, and in any
    order with others: it ends once, and takes nothing more then.
    """

    def __aenter__(self, /) -> Awaitable[Span]:
        ...

    def __aexit__(self, /, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> Awaitable[None]:
        ...

    def __call__(self, /, function: _F) -> _F:
        """
        As a decorator: each call of the function is a span of this name, kind and these attributes.
        """

    def __enter__(self, /) -> Span:
        ...

    def __exit__(self, /, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        ...

    def __repr__(self, /) -> str:
        ...

    def add_event(self, /, name: str, attributes: Mapping[str, Any] | None=None, timestamp: SupportsIndex | None=None) -> None:
        """
        Add something that happened, now or at `timestamp`, in nanoseconds since 1970.
        """

    def add_link(self, /, context: Any, attributes: Mapping[str, Any] | None=None) -> None:
        """
        Link it to another span, or to the text of a `traceparent`.
        """

    @property
    def attributes(self, /) -> dict[str, Any]:
        """
        A copy of its attributes; empty if it isn't sampled.
        """

    def end(self, /, end_time: SupportsIndex | None=None) -> None:
        """
        End it, now or at `end_time`, in nanoseconds since 1970. The first call counts.
        """

    @property
    def events(self, /) -> list[tuple[int, str, dict[str, Any]]]:
        """
        A copy of its events, each time, name and attributes.
        """

    def get_span_context(self, /) -> Any:
        """
        Its context as `opentelemetry.trace.SpanContext`.

        Raises:
            `RuntimeError`: the program hasn't loaded OpenTelemetry's API.
        """

    def is_recording(self, /) -> bool:
        """
        Whether it takes attributes and events: it is sampled, and hasn't ended.
        """

    @property
    def kind(self, /) -> str:
        """
        Its kind.
        """

    @property
    def name(self, /) -> str:
        """
        Its name; empty if it isn't sampled.
        """

    def parent_id(self, /) -> str | None:
        """
        Identity of the span that it is in, `None` if it begins a trace.
        """

    def record_exception(self, /, exception: BaseException, attributes: Mapping[str, Any] | None=None, timestamp: SupportsIndex | None=None, escaped: bool=False) -> None:
        """
        Add an exception as an event, with its stack.
        """

    def set_attribute(self, /, key: str, value: Any) -> None:
        """
        Set an attribute, in place of what has this name.
        """

    def set_attributes(self, /, attributes: Mapping[str, Any]) -> None:
        """
        Set some attributes.
        """

    def set_status(self, /, status: Any, description: str | None=None) -> None:
        """
        Say how it ends: `ok`, which is final, `error` with a reason, or `unset`; or what OpenTelemetry's API has for it.
        """

    def span_id(self, /) -> str:
        """
        Identity of the span, 16 hexadecimal digits.
        """

    def trace_id(self, /) -> str:
        """
        Identity of the trace, 32 hexadecimal digits.
        """

    def traceparent(self, /) -> str:
        """
        What a header `traceparent` says of it.
        """

    def update_name(self, /, name: str) -> None:
        """
        Give it another name.
        """

@final
class StreamReader:
    """
    What lies in a stream, read from its beginning to where it ends now.
    """

    def __new__(cls, /, stream: str, place: str) -> StreamReader:
        """
        `place` is a stream of a normalised configuration, as JSON.
        """

    def holds(self, /, writer: StreamWriter) -> bool:
        """
        Whether what a writer sends comes to lie here: in one of the files, however its path is written, or in the topic, of
        which at least one broker is named the same.
        """

    @property
    def partitions(self, /) -> list[str]:
        """
        Path of each file, `topic[3]` of each partition.
        """

    @property
    def place(self, /) -> str:
        """
        What it is, for people.
        """

    def read(self, /) -> list[tuple[int, int, bytes]] | None:
        """
        Return the next messages, each its partition, offset and payload, perhaps none yet; `None` at the end.
        """

@final
class StreamWriter:
    """
    Sends messages to a stream, and waits until they are there.
    """

    def __new__(cls, /, stream: str, place: str, *, topic: str | None=None, pinned: bool=False, dry_run: bool=False) -> StreamWriter:
        """
        `place` is a stream of a normalised configuration, as JSON; `topic` another one of the same brokers. What is in a file
        stays. `pinned`: messages go to the partition that they are sent with. `dry_run`: no file is touched; `refuses` alone
        may be called.
        """

    @property
    def place(self, /) -> str:
        """
        What it is, for people.
        """

    def refuses(self, /, message: Message[bytes]) -> str | None:
        """
        Return why a message can't be sent there, or `None` if it can.
        """

    def send(self, /, messages: list[Message[bytes]], partition: SupportsIndex=0, deletions: list[int] | None=None) -> None:
        """
        Send messages; returns when all of them are where a crash can't reach them. `deletions` are the indices of those that
        a topic is to have without a payload.
        """

@disjoint_base
class SymbolCache:
    """
    Index files of source maps by key, the least recently used of which are removed.

    A map that is not there is built once, by whichever thread or process comes first, while the others wait for it. Processes may
    use one folder, which is made if it isn't there, and may be killed at any time. Nothing else may be kept in it. At most `max_bytes`
    of index files are kept; one file may be larger, and is kept until the next one comes.

    Raises `ValueError` if `max_bytes` is less than 1, `OSError` if the folder can't be made.
    """

    def __new__(cls, /, folder: str | PathLike[str], max_bytes: SupportsIndex) -> SymbolCache:
        ...

    def discard(self, /, key: str) -> None:
        """
        Remove the index for a key, if there is one; who has it open keeps it.
        """

    @property
    def folder(self, /) -> Path:
        """
        Where the files are.
        """

    def get(self, /, key: str, load: Callable[[], SourceMap | ReadableBuffer]) -> Cache:
        """
        Open the index for a key, which is the debug id of the map or whatever else tells one map from another and an old one from
        a new one; build it if it is not there, or is damaged.

        `load` gives the map, or its bytes; one thread of one process calls it, if the index has to be built. It may ask for other keys, in
        the same thread: for these nobody is waited for, and two callers may build them. The index stays usable when its file is
        removed.

        Raises `SourceMapError` if what was loaded is no source map, `OSError` if the index can't be written or read. What `load` raises
        passes through, and the next call tries again.
        """

    @property
    def max_bytes(self, /) -> int:
        """
        How many bytes of index files are kept.
        """

    @property
    def size_bytes(self, /) -> int:
        """
        Bytes of all index files that are there now.
        """

@final
class Token:
    """
    Where a place of the generated code comes from.

    Lines and columns count from 0, columns in UTF-16 units.
    """

    def __eq__(self, other: object, /) -> bool:
        ...

    def __hash__(self, /) -> int:
        ...

    def __repr__(self, /) -> str:
        ...

    @property
    def column(self, /) -> int:
        """
        Column in the generated code at which the segment begins.
        """

    @property
    def ignored(self, /) -> bool:
        """
        Whether the source is on the map's ignore list.
        """

    @property
    def line(self, /) -> int:
        """
        Line in the generated code at which the segment begins.
        """

    @property
    def name(self, /) -> str | None:
        """
        The name that the source has for what is here.
        """

    @property
    def name_index(self, /) -> int | None:
        """
        Index of the name in `names`.
        """

    @property
    def source(self, /) -> str | None:
        """
        The source, with `sourceRoot`; `None` if the segment has none, or its source is null.
        """

    @property
    def source_column(self, /) -> int | None:
        """
        Column in the source.
        """

    @property
    def source_index(self, /) -> int | None:
        """
        Index of the source in `sources`.
        """

    @property
    def source_line(self, /) -> int | None:
        """
        Line in the source.
        """

@final
class Tokens:
    """
    The answers to many lookups, in the order of the questions: four buffers of 32-bit integers, -1 where there is nothing.

    `numpy.asarray(tokens.source_lines)` is an array without a copy.
    """

    def __len__(self, /) -> int:
        ...

    @property
    def names(self, /) -> memoryview[int]:
        """
        Indices in `names`.
        """

    @property
    def source_columns(self, /) -> memoryview[int]:
        """
        Columns in the sources, from 0.
        """

    @property
    def source_lines(self, /) -> memoryview[int]:
        """
        Lines in the sources, from 0.
        """

    @property
    def sources(self, /) -> memoryview[int]:
        """
        Indices in `sources`.
        """

@final
class Tracer:
    """
    Makes spans under a name, for OpenTelemetry's API.
    """

    def __new__(cls, /, name: str, version: str | None=None, schema_url: str | None=None, attributes: Mapping[str, Any] | None=None) -> Tracer:
        ...

    def start_as_current_span(self, /, name: str, context: Any=None, kind: Any=None, attributes: Mapping[str, Any] | None=None, links: Sequence[Any] | None=None, start_time: SupportsIndex | None=None, record_exception: bool=True, set_status_on_exception: bool=True, end_on_exit: bool=True) -> CurrentSpan:
        """
        Begin a span with `with`, which makes it current, or with each call of the function that this decorates.
        """

    def start_span(self, /, name: str, context: Any=None, kind: Any=None, attributes: Mapping[str, Any] | None=None, links: Sequence[Any] | None=None, start_time: SupportsIndex | None=None, record_exception: bool=True, set_status_on_exception: bool=True) -> TracerSpan:
        """
        Begin a span in the current one, or in that of `context`.
        """

@final
class TracerSpan(Span):
    """
    A span that OpenTelemetry's API made. `with` ends it, and doesn't make it current.
    """

    def __enter__(self, /) -> TracerSpan:
        ...

    def __exit__(self, /, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        ...

    def add_link(self, /, context: Any, attributes: Mapping[str, Any] | None=None) -> None:
        """
        Link it to the context of another span.
        """

    def end(self, /, end_time: SupportsIndex | None=None) -> None:
        """
        End it, now or at `end_time`, in nanoseconds since 1970. It stays current where it is; the first call counts.
        """

    @property
    def kind(self, /) -> Any:
        """
        Its kind, a `SpanKind`.
        """

def abi_version() -> tuple[int, int]:
    """
    Return major and minor version of the ABI between extensions and this runtime.
    """

def after_fork_in_child() -> None:
    """
    This process is the child.
    """

def arrow_column(column: Any) -> bytes | list[str | None] | dict[str, Any] | None:
    """
    Read a column that has `__arrow_c_stream__` or `__arrow_c_array__`.

    Numbers come as the bytes of 64-bit floats, texts as a list, with `None` where one is null; a struct as a dictionary of its fields,
    with a `ValueError` in place of one that can't be read. What can't be read at all raises it. `None` if the object has neither method.
    """

def begin_telemetry(settings: Any, timeout_s: SupportsFloat | SupportsIndex) -> None:
    """
    Take records from now on, as `settings` say; what was begun before ends, with so many seconds to deliver what it has.

    Raises:
        `ValueError`: a setting can't be used.
    """

def check(plan: str) -> str:
    """
    Check a plan and return what is wrong with it, as a JSON list of diagnostics.
    """

def check_config(plan: str, config: str) -> str:
    """
    Check a configuration against a plan and return what is wrong, as a JSON list of diagnostics.
    """

def config_schema() -> str:
    """
    Return the JSON Schema of the configuration.
    """

def connect_module(capsule: Any, name: str) -> None:
    """
    Give an extension the way to this runtime, for what it records; `name` is what users call it.
    """

def current_span() -> Span | None:
    """
    The span that this task or thread is in, `None` if it is in none. It may be one of OpenTelemetry's own SDK.
    """

def describe_module(capsule: Any, name: str | None=None) -> str:
    """
    Describe what an extension offers, as JSON; `name` is what users call it.
    """

def duration(seconds: SupportsFloat | SupportsIndex) -> str:
    """
    Spell a time with three digits in a unit that suits it.
    """

def encode_json(value: Any) -> bytes | None:
    """
    Write plain Python values as compact JSON; return `None` for a value that is none of `str`, `int`, `float`, `bool`,
    `None`, `list` and `dict` of such, or has no JSON.
    """

def encode_msgpack(value: Any) -> bytes | None:
    """
    Write plain Python values as msgpack; return `None` for a value that is none of `str`, `int`, `float`, `bool`, `bytes`,
    `None`, `list`, `tuple` and `dict` of such, or has no msgpack.
    """

def error_codes() -> list[str]:
    """
    Return all error codes, in order.
    """

def explain(code: str) -> str | None:
    """
    Return the page that explains an error code, or `None` for an unknown one.
    """

def extract_headers(headers: Mapping[Any, Any] | Iterable[tuple[Any, Any]], formats: Sequence[str]) -> Extracted:
    """
    Read where a request came from; `formats` are `tracecontext`, `baggage`, `b3` and `b3multi`.
    """

def fetch_document(url: str, max_bytes: SupportsIndex, max_redirects: SupportsIndex, timeout_s: SupportsFloat | SupportsIndex, public: bool) -> tuple[int, list[tuple[str, str]], bytes, str]:
    """
    Get a document over HTTP: its status, headers, body, and the URL that it came from after redirects.

    With `public` only addresses of the public network are asked. Raises `ValueError` for a URL that is none of HTTP, `LimitExceeded` for
    too many bytes or redirects, `TimeoutError`, and `ConnectionError` for what else goes wrong.
    """

def flatten_tasks(document: str | bytes, depth: SupportsIndex) -> str:
    """
    Return the tasks of a nested document as a JSON list.
    """

def flush_telemetry(timeout_s: SupportsFloat | SupportsIndex, ends: bool) -> bool:
    """
    Send all that there is, for so many seconds at most, and if it `ends` take nothing more; whether all was delivered.
    """

def forget_records() -> None:
    """
    Forget what the parent of a forked process has recorded: this process is the child.
    """

def get_baggage() -> dict[str, str]:
    """
    Names and values that came with the request and go on with those that are made for it.
    """

def graph(plan: str, format: str, functions: dict[str, object]) -> str:
    """
    Draw a plan as `mermaid`, `dot`, `svg` or `json`; a plan that can't run has no runs to show.
    """

def inject_headers(headers: MutableMapping[Any, Any] | list[Any], formats: Sequence[str]) -> None:
    """
    Write where this request comes from into a dictionary, or append pairs to a list.
    """

def listen(named: Sequence[tuple[str, SupportsIndex]], rest: SupportsIndex) -> None:
    """
    Listen to extensions: `named` are loggers and the most verbose level of each, from 0, nothing, to 5, everything; `rest` is
    the level of all others.
    """

def load_config(text: str, file: str, sets: Sequence[tuple[str, str]], environment: dict[str, str]) -> str:
    """
    Load a configuration and return it complete and normalised, as JSON.

    `text` is YAML; `file` is its name in errors; `sets` are pairs of a dotted key and a value, and win over the variables
    `OXFLOW__A__B` of `environment`, which win over the file.
    """

def load_definition(text: str, file: str) -> str:
    """
    Read a pipeline in YAML and return it as JSON, in which what can be wrong has its place: `[line, column, value]`.

    `file` is the name of `text` in errors.
    """

def map_reference(code: ReadableBuffer) -> tuple[str, str | None] | None:
    """
    Return the URL of the map that generated JavaScript or CSS refers to in its last comments, and its debug id.
    """

def own_functions() -> object:
    """
    Return the functions that this runtime has itself, as an extension shows its own.
    """

def pipeline_schema() -> str:
    """
    Return the JSON Schema of a pipeline in YAML.
    """

def protobuf_types(files: Sequence[str | PathLike[str]], includes: Sequence[str | PathLike[str]]) -> tuple[str, list[str]]:
    """
    Return the Rust source of the types of `.proto` files, and the names of those that are messages.
    """

def render(code: str, message: str, place: tuple[str, int, int | None, str] | None, why: str | None, fix: str | None) -> str:
    """
    Render a diagnostic as text.
    """

def report_text(report: str, recorded: Sequence[str]) -> str:
    """
    Return the text of a report, which is JSON; `recorded` are lines of what extensions recorded.
    """

def runs(plan: str, functions: dict[str, object]) -> str:
    """
    Return the runs that the steps are cut into, as a JSON list of languages and steps.
    """

def schema_types(files: Sequence[str | PathLike[str]]) -> tuple[str, list[str], list[str]]:
    """
    Return the Rust source of the types of schemas, the names of those that are messages, and what the types don't say.
    """

def sdk_sources() -> list[tuple[str, str]]:
    """
    Return the sources of the SDK that this runtime was built with, as paths in the repository and texts.
    """

def set_baggage(entries: Mapping[str, str]) -> Extracted:
    """
    Have these names and values go on with the requests that are made inside of `with`, besides those that do already.
    """

def start_span(name: str, attributes: Mapping[str, Any] | None=None, kind: str='internal', *, links: Iterable[Any] | None=None, start_time: SupportsIndex | None=None, parent: Span | str | None=None) -> Span:
    """
    Begin a span in the current one, or in `parent`.

    Args:
        name: what it is called; few names are best, with what differs in `attributes`.
        attributes: names and values.
        kind: `internal`, `server`, `client`, `producer` or `consumer`.
        links: other spans, each as a span, the text of a `traceparent`, or a pair of one and a dictionary of attributes.
        `start_time`: when it began, in nanoseconds since 1970, if that isn't now.
        parent: a span, or the text of a `traceparent`, if that isn't the current one.

    Raises:
        `ValueError`: there is no such kind, or a text is no `traceparent`.
    """

def symbolicated_json(json: bytes, maps: Callable[[str], SourceMap | None] | PathLike[str]) -> bytes:
    """
    Return JSON with the places of the sources in its stack traces; `maps` is a function that gives the map for a URL, or a folder.
    """

def symbolicated_text(trace: str, maps: Callable[[str], SourceMap | None] | PathLike[str]) -> str:
    """
    Return a stack trace of a browser with the places of the sources; `maps` is a function that gives the map for a URL, or a folder.
    """

def telemetry_stats() -> list[dict[str, Any]]:
    """
    What became of all records, a dictionary for each sink.
    """
