"""The tests' own Rust steps, as Python sees them."""

from typing import Any, TypedDict

from oxflow import RustFunction
from typing_extensions import NotRequired

class Word(TypedDict):
    """A counted word."""

    text: str
    count: int
    tags: NotRequired[dict[str, str]]

class Plain(TypedDict):
    """A private struct that is not `Clone`; its filter takes it by value."""

    count: int

class Nest(TypedDict):
    """A payload that may lie in another one."""

    inner: NotRequired[Nest | None]

class Double(RustFunction[Word, Word]):
    """Doubles the count."""

class IsPlain(RustFunction[Plain, bool]): ...

is_frequent: RustFunction[Word, bool]
is_frequent_by_value: RustFunction[Word, bool]
check: RustFunction[Word, Word]
stubborn: RustFunction[Word, Word]
stubborn_filter: RustFunction[Word, bool]
letters: RustFunction[Word, list[Word]]
fragile: RustFunction[Word, list[Any]]
long_only: RustFunction[Word, Word | None]
key_by_text: RustFunction[Word, Word]
describe: RustFunction[Word, Word]
length_class: RustFunction[Word, str]
reverse: RustFunction[bytes, bytes]
rendezvous: RustFunction[Word, Word]
spin: RustFunction[Word, Word]
class Words(TypedDict):
    """A batch of words. Rust knows that it is a list; Python knows nothing of it."""

join: RustFunction[Words | list[Word], Word]
