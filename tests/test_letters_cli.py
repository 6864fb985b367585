"""`oxflow dead-letters`: what is listed, sent again and dropped, and what is remembered of that."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from oxflow import DeadLetter
from oxflow.cli.letter_store import Letter, Located, Store

PIPELINE = """
from oxflow import Map, StreamSink, streaming_source

def pick(message):
    if message.payload.startswith(b"bad"):
        raise ValueError("no " + message.payload.decode())
    if message.payload.startswith(b"odd"):
        raise KeyError("odd")
    return message.payload

pipeline = (
    streaming_source("source", stream_name="in").apply(Map("pick", function=pick)).sink(StreamSink("sink", stream_name="out"))
)
"""
LINES = [b"good 0", b"bad 1", b"odd 2", b"good 3", b"bad 4"]


def oxflow(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "oxflow", *arguments]
    return subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True)


def letters(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return oxflow(folder, "dead-letters", *arguments)


def run(folder: Path, source: str = "in.jsonl") -> None:
    streams = {"in": f"file:{source}", "out": "file:out.jsonl?append=true", "dead-letters": "file:dead.jsonl"}
    bound = [f"--stream={name}={url}" for name, url in streams.items()]
    done = oxflow(folder, "run", "pipeline.py", "--quiet", *bound, "--set=steps.pick.on_error=dead_letter")
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def left(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a run has left: three dead letters."""
    folder = tmp_path_factory.mktemp("left")
    (folder / "pipeline.py").write_text(PIPELINE, encoding="utf-8")
    (folder / "in.jsonl").write_bytes(b"\n".join(LINES) + b"\n")
    run(folder)
    return folder


@pytest.fixture
def folder(left: Path, tmp_path: Path) -> Path:
    """The same, for one test."""
    return Path(shutil.copytree(left, tmp_path, dirs_exist_ok=True))


def listed(folder: Path, *options: str) -> list[dict[str, Any]]:
    done = letters(folder, "ls", "file:dead.jsonl", "--json", *options)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def payloads(folder: Path, *options: str) -> list[str]:
    return [letter["payload"] for letter in listed(folder, *options)]


def test_a_list_has_a_line_for_each_and_says_how_many(folder: Path) -> None:
    done = letters(folder, "ls", "file:dead.jsonl")
    lines = done.stdout.splitlines()
    assert (done.returncode, len(lines), done.stderr) == (0, 3, "3 of 3 dead letters listed\n")
    content = [DeadLetter.from_json(line) for line in (folder / "dead.jsonl").read_bytes().splitlines()]
    assert lines[0].startswith(f"{content[0].id[:12]}  ")
    assert lines[0].endswith(f"  pick  ValueError  {(folder / 'in.jsonl').name}, line 2  no bad 1")


def test_filters_choose(folder: Path) -> None:
    whole = listed(folder)
    assert [letter["payload"] for letter in whole] == ["bad 1", "odd 2", "bad 4"]
    assert payloads(folder, "--error=KeyError") == ["odd 2"]
    assert payloads(folder, "--error=OXF0501", "--limit=2") == ["bad 1", "odd 2"]
    assert payloads(folder, "--step=nothing") == []
    assert payloads(folder, "--offsets=2..") == ["odd 2", "bad 4"]
    assert payloads(folder, "--offsets=..1") == payloads(folder, "--offsets=1") == ["bad 1"]
    assert payloads(folder, "--text=NO BAD") == ["bad 1", "bad 4"]
    assert payloads(folder, "--text=odd 2", "--step=pick", "--partition=0") == ["odd 2"]
    assert payloads(folder, "--partition=1") == []
    assert payloads(folder, f"--id={whole[2]['id'][:8]}", f"--id={whole[0]['id']}") == ["bad 1", "bad 4"]
    assert payloads(folder, "--since=1h") == ["bad 1", "odd 2", "bad 4"]
    assert payloads(folder, "--until=2020-01-01") == payloads(folder, "--since=2999-01-01T00:00Z") == []


def test_all_of_a_dead_letter_is_shown(folder: Path) -> None:
    done = letters(folder, "show", "file:dead.jsonl", "--text=bad 1")
    assert done.returncode == 0
    for part in (
        "(open)",
        "error      ValueError (OXF0501): no bad 1",
        "in.jsonl, line 2",
        "5 bytes",
        "    bad 1",
        "in pick",
    ):
        assert part in done.stdout
    assert "dead.jsonl, line 1" in done.stdout


def test_what_was_replayed_goes_through_the_pipeline_once(folder: Path) -> None:
    first = letters(folder, "replay", "file:dead.jsonl", "--to=file:again.jsonl", "--error=ValueError")
    assert (first.returncode, first.stdout) == (0, "replayed 2 dead letters: 2 to `again.jsonl`\n"), first.stderr
    assert (folder / "again.jsonl").read_bytes() == b"bad 1\nbad 4\n"
    # Nothing that was sent is sent again, and what is new is added.
    second = letters(folder, "replay", "file:dead.jsonl", "--to=file:again.jsonl", "--json")
    assert json.loads(second.stdout) == {"dry_run": False, "replayed": 1, "places": {"`again.jsonl`": 1}}
    third = letters(folder, "replay", "file:dead.jsonl", "--to=file:again.jsonl")
    assert third.stdout == "replayed 0 dead letters\n"
    assert (folder / "again.jsonl").read_bytes() == b"bad 1\nbad 4\nodd 2\n"
    assert payloads(folder) == []
    assert [letter["state"] for letter in listed(folder, "--all")] == ["replayed"] * 3
    # They fail again, which makes new dead letters, while the old ones stay done.
    run(folder, "again.jsonl")
    assert payloads(folder) == ["bad 1", "bad 4", "odd 2"]
    again = letters(folder, "replay", "file:dead.jsonl", "--to=file:again.jsonl", "--again", "--dry-run")
    assert again.stdout == "would replay 6 dead letters: 6 to `again.jsonl`\n"


def test_messages_may_go_to_standard_output_alone(folder: Path) -> None:
    done = letters(folder, "replay", "file:dead.jsonl", "--to=stdout:")
    said = "replayed 3 dead letters: 3 to standard output\n"
    assert (done.returncode, done.stdout, done.stderr) == (0, "bad 1\nodd 2\nbad 4\n", said)


def test_a_dry_run_leaves_everything_as_it_is(folder: Path) -> None:
    before = sorted(path.name for path in folder.iterdir())
    replay = ["replay", "file:dead.jsonl"]
    for action in ([*replay, "--to=stdout:"], [*replay, "--to=file:new.jsonl"], ["drop", "file:dead.jsonl"]):
        done = letters(folder, *action, "--dry-run")
        assert (done.returncode, "would" in done.stdout) == (0, True), done.stderr
    assert sorted(path.name for path in folder.iterdir()) == before
    assert len(payloads(folder)) == 3


def test_what_is_dropped_is_done_with(folder: Path) -> None:
    done = letters(folder, "drop", "file:dead.jsonl", "--text=bad 4")
    assert (done.returncode, done.stdout) == (0, "dropped 1 dead letter\n"), done.stderr
    assert payloads(folder) == ["bad 1", "odd 2"]
    replayed = letters(folder, "replay", "file:dead.jsonl", "--to=file:again.jsonl")
    assert replayed.stdout == "replayed 2 dead letters: 2 to `again.jsonl`\n"
    assert [letter["state"] for letter in listed(folder, "--all")] == ["replayed", "replayed", "dropped"]


def test_the_stream_may_be_named_as_the_configuration_has_it(folder: Path) -> None:
    (folder / "c.yaml").write_text(
        "streams: {dead-letters: 'file:dead.jsonl', again: 'file:again.jsonl'}", encoding="utf-8"
    )
    assert len(letters(folder, "ls", "--config=c.yaml").stdout.splitlines()) == 3
    assert letters(folder, "replay", "dead-letters", "--config=c.yaml", "--to=again").returncode == 0
    assert (folder / "again.jsonl").read_bytes().count(b"\n") == 3


def test_what_is_no_dead_letter_is_named_and_left(folder: Path) -> None:
    with (folder / "dead.jsonl").open("ab") as file:
        file.write(b'{"half": \n')
    done = letters(folder, "replay", "file:dead.jsonl", "--to=file:again.jsonl")
    assert (done.returncode, done.stdout) == (1, "replayed 3 dead letters: 3 to `again.jsonl`\n")
    assert done.stderr.startswith("error: dead.jsonl, line 4: not a dead letter: Expecting value")


def test_what_others_wrote_ends_no_command(folder: Path) -> None:
    letter = json.loads((folder / "dead.jsonl").read_bytes().splitlines()[0])
    foreign = [b"[" * 100_000, b'{"oxflow-note":' + b"[" * 100_000]
    origins = [letter["origin"] | {"partition": partition} for partition in (-1, 1 << 40)]
    changes = [{"time": "x"}, {"step": 3}, *({"origin": origin} for origin in origins)]
    foreign += [json.dumps(letter | change).encode() for change in changes]
    with (folder / "dead.jsonl").open("ab") as file:
        file.writelines(line + b"\n" for line in foreign)
    (folder / "dead.jsonl.done").write_bytes(foreign[1] + b"\n")
    for options in (["ls"], ["ls", "--json"], ["show", "--since=1h"], ["replay", "--to=file:again.jsonl"]):
        done = letters(folder, options[0], "file:dead.jsonl", *options[1:])
        assert (done.returncode, done.stderr.count("not a dead letter")) == (1, len(foreign)), done.stderr
        assert "Traceback" not in done.stderr
    assert (folder / "again.jsonl").read_bytes() == b"bad 1\nodd 2\nbad 4\n"


def test_a_message_that_is_no_line_stays(folder: Path) -> None:
    with (folder / "dead.jsonl").open("r+b") as file:
        text = file.read().replace(b'"payload":"bad 1"', b'"payload":"bad\\n1"')
        file.seek(0)
        file.write(text)
    done = letters(folder, "replay", "file:dead.jsonl", "--to=file:again.jsonl")
    assert done.returncode == 1
    assert (
        done.stderr
        == "error: dead.jsonl, line 1: `again.jsonl` can't take the message: it holds a line feed, and each line is one message\n"
    )
    assert payloads(folder) == ["bad\n1"]


def test_two_commands_at_once_are_refused(folder: Path) -> None:
    import fcntl

    with (folder / "dead.jsonl.done").open("ab") as taken:
        fcntl.flock(taken, fcntl.LOCK_EX)
        done = letters(folder, "drop", "file:dead.jsonl")
    assert (done.returncode, "another run writes `dead.jsonl.done`" in done.stderr) == (4, True), done.stderr


def test_a_file_is_not_sent_to_itself_however_it_is_named(folder: Path) -> None:
    (folder / "link.jsonl").symlink_to("dead.jsonl")
    names = ["./dead.jsonl", str(folder / "dead.jsonl"), "link.jsonl", f"../{folder.name}/dead.jsonl"]
    commands = [["file:dead.jsonl", f"--to=file:{name}"] for name in names]
    commands += [["file:dea*.jsonl", "--to=file:dead.jsonl"], ["file:link.jsonl", "--to=file:dead.jsonl"]]
    before = (folder / "dead.jsonl").read_bytes()
    for command in commands:
        for more in ([], ["--dry-run"]):
            done = letters(folder, "replay", *command, *more)
            assert (done.returncode, "name another stream by `--to`" in done.stderr) == (4, True), (command, done)
    assert (folder / "dead.jsonl").read_bytes() == before


def test_what_another_command_did_meanwhile_is_not_done_again(folder: Path) -> None:
    located = Located("dead-letters", {"url": f"file:{folder / 'dead.jsonl'}"})
    store = Store(located)
    assert letters(folder, "drop", "file:dead.jsonl", "--text=bad 1").returncode == 0
    found = [letter for letter in store.letters() if isinstance(letter, Letter)]
    assert [letter.state for letter in found] == ["open"] * 3
    assert [letter.content.as_read.payload for letter in store.prepare(found)] == [b"odd 2", b"bad 4"]
    # What is done with stays chosen where the user wants it `--again`.
    again = [letter for letter in Store(located).letters() if isinstance(letter, Letter)]
    assert len(store.prepare(again)) == 3


def test_a_note_that_a_crash_cut_is_no_note(folder: Path) -> None:
    letters(folder, "drop", "file:dead.jsonl", "--text=bad 1")
    notes = folder / "dead.jsonl.done"
    notes.write_bytes(notes.read_bytes()[:-20])
    assert len(payloads(folder)) == 3
    letters(folder, "drop", "file:dead.jsonl")
    assert payloads(folder) == []


WRONG = [
    (["ls"], 4, "stream `dead-letters` is not bound"),
    (["ls", "dead.jsonl"], 4, "`file:dead.jsonl`"),
    (["ls", "file:none.jsonl"], 4, "no file matches"),
    (["ls", "null:"], 4, "null: cannot be one"),
    (["ls", "file:dead.jsonl", "--since=soon"], 2, "`soon` is neither a time"),
    (["ls", "file:dead.jsonl", "--offsets=a"], 2, "not of the form FIRST..LAST"),
    (["ls", "file:dead.jsonl", "--id=xyz"], 2, "not the beginning of an id"),
    (["replay", "file:dead.jsonl"], 3, "name a stream by `--to`"),
    (["replay", "file:dead.jsonl", "--to=file:dead.jsonl"], 4, "name another stream by `--to`"),
    (["replay", "file:dead.jsonl", "--to=null:"], 4, "null: cannot be one"),
    (["ls", "kafka://127.0.0.1:1/x?groop=g"], 4, "did you mean `group`?"),
]


@pytest.mark.parametrize(("arguments", "code", "said"), WRONG, ids=[" ".join(wrong[0]) for wrong in WRONG])
def test_what_is_wrong_is_said(folder: Path, arguments: list[str], code: int, said: str) -> None:
    done = letters(folder, *arguments)
    assert (done.returncode, said in done.stderr.replace("`null:`", "null:")) == (code, True), done.stderr
    assert (folder / "dead.jsonl").read_bytes().count(b"\n") == 3
