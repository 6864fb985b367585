"""Steps that take lines of text apart."""

from typing import TypedDict

from oxflow import RustFunction

class Line(TypedDict):
    """A line of text as it arrives."""

    text: str

class Word(TypedDict):
    """A word of it."""

    text: str
    letters: int

class Capitals(RustFunction[Word, Word]):
    """Writes a word in capitals: the function of a `Map`."""

is_long: RustFunction[Word, bool]
words: RustFunction[Line, list[Word]]
