"""What the Rust module `pure_words` shows to Python.

Made by `oxflow stubs pure_words`; not edited by hand.
"""

from typing import TypedDict

from oxflow import RustFunction, RustPipeline

class Letters(TypedDict):
    """How long words are together."""

    letters: int

class Line(TypedDict):
    """A line of text as it arrives."""

    text: str

class Word(TypedDict):
    """A word of it."""

    text: str
    letters: int

class Above(RustFunction[Word, bool]):
    def __init__(self, limit: int) -> None: ...

capitals: RustFunction[Word, Word]
"""Writes a word in capitals; digits have none, and the word `panic` is taken at its word."""

is_long: RustFunction[Word, bool]
"""Keeps words of more than three letters."""

length: RustFunction[Word, str]
"""Says whether a word is long."""

total: RustFunction[list[Word], Letters]
"""Counts the letters of a list of words."""

words: RustFunction[Line, list[Word]]
"""Gives the words of a line."""

run_streams: RustPipeline
