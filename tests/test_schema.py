"""`oxflow schema`, on all schemas of the package `sentry-kafka-schemas`: each becomes types that lose nothing of a message.

One crate holds the types of all of them. It reads each example that the package's own codec accepts into the type of its
schema, and writes it again; the crate always lies in the same place, so that cargo builds only what changed.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import pytest
import sentry_kafka_schemas
from sentry_kafka_schemas.codecs import ValidationError
from sentry_kafka_schemas.sentry_kafka_schemas import get_topic, iter_examples, list_topics

import oxflow
from oxflow.sdk.schema import types_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sentry_kafka_schemas.codecs import Codec

    Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"

ROOT = Path(__file__).parent.parent
PACKAGE = Path(sentry_kafka_schemas.__file__).parent
SCHEMAS = sorted((PACKAGE / "schemas").iterdir())
# What those schemas don't have: messages that must come back whole, and such that must be refused.
OWN: dict[str, tuple[Json, list[Json], list[Json]]] = {
    "null.json": (
        {
            "anyOf": [
                {"title": "Strict", "type": "object", "properties": {"a": {"type": "string"}}},
                {"title": "Loose", "type": "object", "properties": {"a": {"type": ["string", "null"]}, "b": True}},
            ]
        },
        [{"a": "x"}, {"a": None}, {"b": None}, {}, {"a": None, "b": 1, "c": None}],
        [{"a": 1}, []],
    ),
    "closed.json": (
        {
            "oneOf": [
                {"title": "Open", "type": "object", "required": ["a"]},
                {"title": "Shut", "type": "object", "properties": {"b": True}, "additionalProperties": False},
                {"title": "Several", "type": "array"},
            ]
        },
        [{"a": 1, "b": 2}, {"b": None}, {}, [], [1]],
        [{"b": 1, "c": 2}, "text"],
    ),
    "tuple.json": (
        {
            "type": "array",
            "minItems": 2,
            "items": [{"const": 2}, {"type": "object", "additionalProperties": {"type": "number"}}],
        },
        [[2, {"a": 1.5}], [2, {}, None, [1], {"b": None}]],
        [[2], [2, {"a": "x"}], ["2", {}]],
    ),
    "tree.json": (
        {
            "$ref": "#/definitions/tree",
            "definitions": {
                "tree": {
                    "type": ["object", "null"],
                    "required": ["left"],
                    "properties": {
                        "left": {"$ref": "#/definitions/tree"},
                        "right": {"$ref": "#/definitions/tree"},
                        "all": {"$ref": "#/definitions/forest"},
                    },
                },
                "forest": {
                    "type": "array",
                    "items": {"anyOf": [{"$ref": "#/definitions/forest"}, {"type": "integer"}]},
                },
            },
        },
        [None, {"left": None}, {"left": {"left": None, "right": None}, "right": None, "all": [[1, [[]]], -2]}],
        [{"left": 1}, {"left": None, "all": [1.5]}],
    ),
    "kinds.json": (
        {"type": ["integer", "string", "boolean", "array"], "items": {"enum": ["x", "y z", None]}},
        [1, -1, "x", True, [], ["x", "y z", None]],
        [None, 1.5, ["z"], {}],
    ),
}
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", Path.home() / ".cache/oxflow/target"))
CRATE = TARGET / "schemas"
MANIFEST = """\
[package]
name = "round-trip"
version = "0.1.0"
edition = "2024"

[workspace]

[dependencies]
oxflow = {{ path = "{root}/crates/oxflow" }}
serde = {{ version = "1.0.229", features = ["derive"] }}
serde_json = {{ version = "1.0.154", features = ["float_roundtrip"] }}

# Nobody debugs it, and it has some hundred types.
[profile.dev]
debug = false
"""
PROGRAM = """\
mod schemas;

use oxflow::Payload;
use std::io::BufRead;

fn again<T: Payload>(text: &str) -> Result<String, String> {
    let value = T::decode(text.as_bytes()).map_err(|error| error.to_string())?;
    let mut bytes = Vec::new();
    value.encode(&mut bytes).map_err(|error| error.to_string())?;
    String::from_utf8(bytes).map_err(|error| error.to_string())
}

fn main() {
    for line in std::io::stdin().lock().lines() {
        let line = line.unwrap();
        let (number, text) = line.split_once('\\t').unwrap();
        let written = match number {
ARMS            _ => panic!("no schema has the number {number}"),
        };
        match written {
            Ok(text) => println!("{text}"),
            Err(reason) => println!("error: {reason}"),
        }
    }
}
"""


def written(folder: Path, schema: Json, name: str = "event.json") -> Path:
    file = folder / name
    file.write_text(json.dumps(schema), encoding="utf-8")
    return file


def schema(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).parent / "oxflow"), "schema", *arguments]
    environment = os.environ | {"NO_COLOR": "1"}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def plain(value: Json | bytes) -> Json:
    """A value of msgpack as JSON has it: bytes, which are there where a schema takes any value, become text."""
    match value:
        case dict():
            return {key: plain(item) for key, item in value.items()}
        case list():
            return [plain(item) for item in value]
        case bytes():
            return value.decode("latin-1")
        case _:
            return value


@dataclass(frozen=True)
class Example:
    """An example that the package's own codec accepts."""

    schema: str
    file: Path
    value: Json
    codec: Codec[Json]


def examples() -> list[Example]:
    """All of the package that are no protobuf."""
    found: dict[tuple[str, Path], Example] = {}
    for topic in sorted(list_topics()):
        for version in get_topic(topic)["schemas"]:
            if version["type"] == "protobuf":
                continue
            codec: Codec[Json] = sentry_kafka_schemas.get_codec(topic, version["version"])
            for example in iter_examples(topic, version["version"]):
                value = plain(codec.decode(example.path.read_bytes(), validate=True))
                schema = version["resource"]
                found[schema, example.path] = Example(schema, example.path, value, codec)
    return list(found.values())


def differences(there: Json, back: Json, place: str = "") -> Iterator[str]:
    """Where two values of JSON differ. `1` and `1.0` are one number, `1` and `true` are not."""
    if isinstance(there, dict) and isinstance(back, dict):
        for key in there.keys() | back.keys():
            if key not in there or key not in back:
                yield f"{place}/{key} is {'new' if key in back else 'lost'}"
            else:
                yield from differences(there[key], back[key], f"{place}/{key}")
    elif isinstance(there, list) and isinstance(back, list) and len(there) == len(back):
        for number, (one, other) in enumerate(zip(there, back, strict=True)):
            yield from differences(one, other, f"{place}/{number}")
    elif there != back or isinstance(there, bool) != isinstance(back, bool):
        yield f"{place} was {there!r} and is {back!r}"


@pytest.fixture(scope="module")
def program() -> Path:
    """The crate with the types of all schemas, built."""
    CRATE.mkdir(parents=True, exist_ok=True)
    own = [written(CRATE, content, name) for name, (content, _, _) in OWN.items()]
    types = types_of([*SCHEMAS, *own])
    arms = "".join(
        f'            "{number}" => again::<schemas::{name}>(text),\n' for number, name in enumerate(types.messages)
    )
    wanted = {
        "Cargo.toml": MANIFEST.format(root=ROOT.as_posix()),
        "src/schemas.rs": types.text,
        "src/main.rs": PROGRAM.replace("ARMS", arms),
    }
    for name, text in wanted.items():
        file = CRATE / name
        if not file.is_file() or file.read_text(encoding="utf-8") != text:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
    # The versions that are compiled already.
    if not (CRATE / "Cargo.lock").is_file():
        shutil.copy(ROOT / "Cargo.lock", CRATE)
    cargo = os.environ | {"CARGO_TARGET_DIR": str(TARGET), "CARGO_NET_OFFLINE": "true"}
    done = subprocess.run(
        ["cargo", "build", "--quiet"], cwd=CRATE, env=cargo, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return TARGET / "debug/round-trip"


def again(program: Path, messages: list[tuple[str, Json]]) -> list[str]:
    """What is wrong with each of these values, a schema's name before it, when its types have read and written it."""
    numbers = {name: number for number, name in enumerate([*(file.name for file in SCHEMAS), *OWN])}
    text = "".join(f"{numbers[name]}\t{json.dumps(value)}\n" for name, value in messages)
    done = subprocess.run([program], input=text, capture_output=True, text=True, check=True)
    wrong: list[str] = []
    for (name, value), answer in zip(messages, done.stdout.splitlines(), strict=True):
        if answer.startswith("error: "):
            wrong.append(f"{name}: {answer}")
        else:
            wrong += [f"{name}: {difference}" for difference in differences(value, json.loads(answer))]
    return wrong


def test_every_schema_has_types_and_every_example_comes_back_whole(program: Path) -> None:
    found = examples()
    assert (len(SCHEMAS), len(found)) == (36, 111)
    assert not again(program, [(example.schema, example.value) for example in found])


def test_fields_that_the_schema_does_not_name_come_back_too(program: Path) -> None:
    strange: dict[str, Json] = {"a field of a later version": {"deep": [1, None]}, "": None}
    found: list[tuple[str, Json]] = []
    for example in examples():
        if isinstance(example.value, dict):
            with contextlib.suppress(ValidationError):
                example.codec.validate(example.value | strange)
                found.append((example.schema, example.value | strange))
    assert len(found) > 50
    assert not again(program, found)


@pytest.mark.parametrize("name", OWN)
def test_what_a_schema_takes_comes_back_and_what_it_refuses_is_refused(name: str, program: Path) -> None:
    _, good, bad = OWN[name]
    assert not again(program, [(name, value) for value in good])
    for value in bad:
        (wrong,) = again(program, [(name, value)])
        assert wrong.startswith(f"{name}: error: "), value


def test_a_field_that_is_lost_or_changed_is_found() -> None:
    """The tests above would notice."""
    there: Json = {"a": [1, {"b": None}], "c": True}
    assert not list(differences(there, {"a": [1.0, {"b": None}], "c": True}))
    assert list(differences(there, {"a": [1, {}], "c": True})) == ["/a/1/b is lost"]
    assert list(differences(there, {"a": [1], "c": 1})) != []


def test_what_is_written_is_as_rustfmt_writes_it(tmp_path: Path) -> None:
    file = tmp_path / "schemas.rs"
    file.write_text(types_of(SCHEMAS).text, encoding="utf-8")
    for schema_file in SCHEMAS:
        file.with_name(f"{len(list(tmp_path.iterdir()))}.rs").write_text(types_of([schema_file]).text, encoding="utf-8")
    done = subprocess.run(
        ["rustfmt", "--check", "--edition", "2024", *tmp_path.iterdir()], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "")


def test_types_are_printed_written_and_checked(tmp_path: Path) -> None:
    file = written(tmp_path, {"title": "Event", "type": "object", "properties": {"id": {"type": "integer"}}})
    printed = schema(tmp_path, "event.json")
    assert (printed.returncode, printed.stderr) == (0, "")
    assert "pub struct Event {" in printed.stdout
    assert schema(tmp_path, "event.json", "--output", "event.rs").stdout == "wrote event.rs\n"
    assert (tmp_path / "event.rs").read_text(encoding="utf-8") == printed.stdout == types_of([file]).text
    assert schema(tmp_path, "event.json", "--output", "event.rs").stdout == "nothing to change in event.rs\n"
    assert schema(tmp_path, "event.json", "--output", "event.rs", "--check").returncode == 0


def test_types_that_are_old_are_told_with_what_differs(tmp_path: Path) -> None:
    written(tmp_path, {"title": "Event", "required": ["id"], "properties": {"id": {"type": "integer"}}})
    schema(tmp_path, "event.json", "--output", "event.rs")
    written(tmp_path, {"title": "Event", "required": ["id"], "properties": {"id": {"type": "string"}}})
    done = schema(tmp_path, "event.json", "--output", "event.rs", "--check")
    assert done.returncode == 1
    assert [line for line in done.stdout.splitlines() if line[:1] in "+-"][2:] == [
        "-    pub id: i64,",
        "+    pub id: String,",
    ]
    assert "write it anew: `oxflow schema event.json --output event.rs`" in done.stderr


def test_what_types_do_not_say_is_noted_on_stderr(tmp_path: Path) -> None:
    written(tmp_path, {"type": "string", "not": {"const": "x"}})
    done = schema(tmp_path, "event.json")
    assert (done.returncode, done.stderr) == (
        0,
        "note: event.json#/not: no type says `not`: values that it excludes are taken\n",
    )


def test_a_schema_that_cannot_become_types_is_told_with_its_place(tmp_path: Path) -> None:
    written(tmp_path, {"properties": {"user": {"$ref": "user.json"}}})
    done = schema(tmp_path, "event.json")
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr == (
        "error[OXF0704]: `$ref` leads to the file `user.json`, which cannot be read\n"
        "  --> event.json#/properties/user\n"
        "  why: No such file or directory (os error 2)\n"
        "  fix: files are looked for beside the one that refers to them: put it there\n"
        "  more: oxflow explain OXF0704\n"
    )
    with pytest.raises(oxflow.errors.SchemaError):
        types_of([tmp_path / "event.json"])


def test_a_check_without_a_file_is_wrong_usage(tmp_path: Path) -> None:
    written(tmp_path, {})
    assert schema(tmp_path, "event.json", "--check").returncode == 2


def inline(line: str, *features: str) -> subprocess.CompletedProcess[str]:
    """Check a crate that has a schema in place."""
    manifest = MANIFEST.format(root=ROOT.as_posix()).replace("round-trip", "inline-schema")
    listed = ", ".join(f'"{feature}"' for feature in features)
    manifest = manifest.replace("oxflow = {", f"oxflow = {{ features = [{listed}],").replace(",  path", ", path")
    folder = TARGET / "inline-schema"
    (folder / "src").mkdir(parents=True, exist_ok=True)
    written(folder, {"title": "Event", "required": ["id"], "properties": {"id": {"$ref": "id.json"}}})
    program = f"{line}\n\nfn main() {{\n    let _ = |event: Event| -> String {{ event.id }};\n}}\n"
    for name, text in {"Cargo.toml": manifest, "src/main.rs": program}.items():
        (folder / name).write_text(text, encoding="utf-8")
    if not (folder / "Cargo.lock").is_file():
        shutil.copy(ROOT / "Cargo.lock", folder)
    cargo = os.environ | {"CARGO_TARGET_DIR": str(TARGET), "CARGO_NET_OFFLINE": "true", "CARGO_TERM_COLOR": "never"}
    return subprocess.run(
        ["cargo", "check", "--quiet"], cwd=folder, env=cargo, capture_output=True, text=True, check=False
    )


def test_a_schema_in_place_is_read_anew_when_a_file_of_it_changes() -> None:
    folder = TARGET / "inline-schema"
    folder.mkdir(exist_ok=True)
    written(folder, {"type": "string"}, "id.json")
    done = inline('oxflow::schema!("event.json");', "schema")
    assert (done.returncode, done.stderr) == (0, "")
    written(folder, {"type": "integer"}, "id.json")
    done = inline('oxflow::schema!("event.json");', "schema")
    assert "expected `String`, found `i64`" in done.stderr


def test_what_is_wrong_with_a_schema_in_place_is_told_at_the_macro() -> None:
    done = inline('oxflow::schema!("events.json");', "schema")
    assert (
        "events.json: the file cannot be read (No such file or directory (os error 2)); give the path of a file"
        in done.stderr
    )
    assert "--> src/main.rs:1:17" in done.stderr
    done = inline('oxflow::schema!("event.json");')
    assert "`oxflow::schema!` needs the feature `schema`" in done.stderr
