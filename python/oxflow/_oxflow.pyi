"""The extension module.

Made by `make stubs`; not edited by hand.
"""

from collections.abc import Callable, Iterable, Sequence
from os import PathLike
from types import GenericAlias
from typing import Any, Generic, SupportsFloat, SupportsIndex, TypeVar, final, overload

_T = TypeVar("_T", covariant=True)
_U = TypeVar("_U")

__all__ = ['Advance', 'JsonDecoder', 'Message', 'MsgPackDecoder', 'NativeFunction', 'NativeType', 'Origin', 'Run', 'SignalWatch', 'abi_version', 'check', 'check_config', 'config_schema', 'connect_module', 'describe_module', 'duration', 'encode_json', 'encode_msgpack', 'error_codes', 'explain', 'forget_records', 'graph', 'listen', 'load_config', 'load_definition', 'pipeline_schema', 'protobuf_types', 'render', 'report_text', 'runs', 'schema_types', 'sdk_sources']

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

def abi_version() -> tuple[int, int]:
    """
    Return major and minor version of the ABI between extensions and this runtime.
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

def forget_records() -> None:
    """
    Forget what the parent of a forked process has recorded: this process is the child.
    """

def graph(plan: str, format: str, functions: dict[str, object]) -> str:
    """
    Draw a plan as `mermaid`, `dot`, `svg` or `json`; a plan that can't run has no runs to show.
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
