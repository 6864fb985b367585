"""What the Rust module `test_steps` shows to Python.

Made by `oxflow stubs test_steps`; not edited by hand.
"""

from typing import Any, TypeAlias, TypedDict

from oxflow import RustFunction
from typing_extensions import NotRequired

Fragile: TypeAlias = Any

class Nest(TypedDict):
    """A payload that may lie in another one."""

    inner: NotRequired[Nest | None]

Plain: TypeAlias = Any

class Word(TypedDict):
    """A counted word."""

    text: str
    count: int
    tags: NotRequired[dict[str, str]]

Words: TypeAlias = Any

class Double(RustFunction[Word, Word]):
    """Doubles the count."""

class IsPlain(RustFunction[Any, bool]): ...

check: RustFunction[Word, Word]
"""Fails on the word `bad`, panics on `panic`, and does what no machine can do on `overflow` and `bottomless`."""

describe: RustFunction[Word, Word]
"""Where the message comes from."""

fragile: RustFunction[Word, list[Any]]
"""The letters of a word; some break on their way out."""

is_frequent: RustFunction[Word, bool]
"""Keeps words that were counted more than once."""

is_frequent_by_value: RustFunction[Word, bool]
"""The same, taking the message by value."""

join: RustFunction[Any, Word]
"""All words of a batch as one."""

key_by_text: RustFunction[Word, Word]
"""Moves the text into the key and says so in a header."""

length_class: RustFunction[Word, str]
"""`short`, `long`."""

letters: RustFunction[Word, list[Word]]
"""A word for each letter."""

long_only: RustFunction[Word, Word | None]
"""The word, unless it is short."""

rendezvous: RustFunction[Word, Word]
"""Says that it runs, by a file of the word's name, and waits until somebody removes the file."""

reverse: RustFunction[bytes, bytes]
"""Raw bytes, reversed; no conversion trait is involved."""

spin: RustFunction[Word, Word]
"""Never answers."""

stubborn: RustFunction[Word, Word]
"""Fails on each word as often as its count says, and then lets it pass."""

stubborn_filter: RustFunction[Word, bool]
"""The same, as a filter."""
