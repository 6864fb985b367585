"""What the Rust module `my_steps` shows to Python.

Made by `oxflow stubs my_steps`; not edited by hand.
"""

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
"""Keeps words of more than three letters: the function of a `Filter`."""

words: RustFunction[Line, list[Word]]
"""Gives the words of a line: the function of a `FlatMap`."""
