"""The Rust steps as Python sees them, and the pipeline that they stand in."""

import my_steps
import oxflow.testing
from oxflow import Message
from pipeline import pipeline


def test_a_line_becomes_its_words() -> None:
    words = my_steps.words(Message({"text": "an ox"}))
    assert words == [{"text": "an", "letters": 2}, {"text": "ox", "letters": 2}]


def test_short_words_are_left_out() -> None:
    assert my_steps.is_long(Message({"text": "oxen", "letters": 4}))
    assert not my_steps.is_long(Message({"text": "cow", "letters": 3}))


def test_the_pipeline_writes_long_words_in_capitals() -> None:
    outputs = oxflow.testing.run(pipeline, {"lines": [b'{"text":"two oxen pull"}']})
    assert outputs["words"] == [b'{"text":"OXEN","letters":4}', b'{"text":"PULL","letters":4}']
