"""`oxflow schema` on protobuf: messages that prost reads and writes, and whose fields serde knows.

The files have what real ones have: packages, imports, messages in messages and in themselves, enums, maps, `oneof`, `optional`,
types of Google's. One crate holds their types; it lies in the same place each time.
"""

from __future__ import annotations

import importlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import oxflow
from oxflow import Map, Message, Parser, Serializer, StreamSink
from oxflow.sdk.schema import types_of
from oxflow.testing import run

ROOT = Path(__file__).parent.parent
PROTOS = ROOT / "tests/protos"
ORDER = PROTOS / "shop/order.proto"
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", Path.home() / ".cache/oxflow/target"))
CRATE = TARGET / "protobuf"
STEPS = TARGET / "protobuf-steps"
STEPS_MANIFEST = f"""\
[package]
name = "orders"
version = "0.1.0"
edition = "2024"

[workspace]

[lib]
crate-type = ["cdylib"]

[dependencies]
oxflow = {{ path = "{ROOT.as_posix()}/crates/oxflow", features = ["protobuf", "python"] }}
prost = "0.14"
serde = {{ version = "1.0.229", features = ["derive"] }}
"""
STEPS_PROGRAM = """\
mod order;

use order::shop::v1::Order;
use oxflow::Message;

/// Counts the items in a label.
#[oxflow::function]
fn counted(msg: Message<Order>) -> Order {
    let (mut order, _) = msg.take();
    order.labels.insert("items".to_owned(), order.items.len().to_string());
    order
}

oxflow::module!(orders);
"""
MANIFEST = f"""\
[package]
name = "round-trip-protobuf"
version = "0.1.0"
edition = "2024"

[workspace]

[dependencies]
oxflow = {{ path = "{ROOT.as_posix()}/crates/oxflow", features = ["protobuf"] }}
prost = "0.14"
serde = {{ version = "1.0.229", features = ["derive"] }}
"""
PROGRAM = """\
mod order;

use order::shop::v1::Order;
use oxflow::Payload;
use oxflow::abi::Codec;

fn main() {
    for line in std::io::stdin().lines() {
        let written = Order::decode_as(Codec::Json, line.unwrap().as_bytes()).unwrap();
        let (mut bytes, mut json) = (Vec::new(), Vec::new());
        written.encode_as(Codec::Protobuf, &mut bytes).unwrap();
        Order::decode_as(Codec::Protobuf, &bytes).unwrap().encode_as(Codec::Json, &mut json).unwrap();
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        println!("{hex} {}", String::from_utf8(json).unwrap());
    }
}
"""
ITEM: dict[str, object] = {"weight": None, "parts": [], "price": None}
OX: dict[str, object] = {"name": "ox", "price": {"currency": "EUR", "cents": -5}, "weight": 0.5}
WHOLE: dict[str, object] = {
    "id": 7,
    "state": 2,
    "items": [OX | {"parts": [{"name": "horn"}]}, {"name": "yoke", "weight": None}],
    "labels": {"b": "2", "a": "1"},
    "discounts": {"3": {"currency": "EUR", "cents": 1}},
    "placed": {"seconds": 1, "nanos": 2},
    "payment": {"Card": {"number": "1234"}},
    "type": "",
    "signature": [0, 255],
    "offset": -1,
}
NOTHING: dict[str, object] = {
    "id": 0,
    "state": 0,
    "items": [],
    "labels": {},
    "discounts": {},
    "placed": None,
    "payment": None,
    "type": None,
    "signature": [],
    "offset": 0,
}


def schema(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).parent / "oxflow"), "schema", *arguments]
    environment = os.environ | {"NO_COLOR": "1"}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def built(crate: Path, wanted: dict[str, str], **environment: str) -> None:
    for name, content in wanted.items():
        file = crate / name
        if not file.is_file() or file.read_text(encoding="utf-8") != content:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(content, encoding="utf-8")
    if not (crate / "Cargo.lock").is_file():
        shutil.copy(ROOT / "Cargo.lock", crate)
    cargo = os.environ | {"CARGO_TARGET_DIR": str(TARGET), "CARGO_NET_OFFLINE": "true", **environment}
    done = subprocess.run(
        ["cargo", "build", "--quiet"], cwd=crate, env=cargo, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stderr


@pytest.fixture(scope="module")
def types() -> str:
    text = types_of([ORDER], [PROTOS]).text
    assert text.count('#[payload(codec = "protobuf")]') == text.count("::prost::Message)")
    return text


@pytest.fixture(scope="module")
def program(types: str) -> Path:
    built(CRATE, {"Cargo.toml": MANIFEST, "src/order.rs": types, "src/main.rs": PROGRAM})
    return TARGET / "debug/round-trip-protobuf"


@pytest.fixture(scope="module")
def orders(types: str, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A user's module: the types as they are printed, and a function of them."""
    # As maturin asks for a module that links no Python; in a place of its own, since others would be built anew by that.
    target = STEPS / "target"
    wanted = {"Cargo.toml": STEPS_MANIFEST, "src/order.rs": types, "src/lib.rs": STEPS_PROGRAM}
    built(STEPS, wanted, CARGO_TARGET_DIR=str(target), PYO3_BUILD_EXTENSION_MODULE="1")
    library = tmp_path_factory.mktemp("orders") / "orders.abi3.so"
    shutil.copy(target / "debug" / ("liborders.dylib" if sys.platform == "darwin" else "liborders.so"), library)
    sys.path.insert(0, str(library.parent))
    try:
        return importlib.import_module("orders")
    finally:
        sys.path.remove(str(library.parent))


def again(program: Path, *messages: object) -> list[tuple[bytes, object]]:
    text = "".join(f"{json.dumps(message)}\n" for message in messages)
    done = subprocess.run([program], input=text, capture_output=True, text=True, check=True)
    lines = [line.split(" ", 1) for line in done.stdout.splitlines()]
    return [(bytes.fromhex(number), json.loads(value)) for number, value in lines]


def test_a_message_comes_back_whole(program: Path) -> None:
    ((_, back),) = again(program, WHOLE)
    items = [OX | {"parts": [ITEM | {"name": "horn"}]}, ITEM | {"name": "yoke"}]
    assert back == WHOLE | {"items": items}


def test_what_is_absent_has_its_default(program: Path) -> None:
    assert again(program, {}) == [(b"", NOTHING)]


def test_bytes_are_those_of_protobuf(program: Path) -> None:
    """Field 1 is a varint, field 4 a map of texts, field 8 the one of the payment that it is, field 12 a zigzag."""
    ((bytes_, _),) = again(program, {"id": 300, "labels": {"a": "b"}, "payment": {"Voucher": "x"}, "offset": -1})
    assert bytes_ == b"\x08\xac\x02" + b"\x22\x06\x0a\x01a\x12\x01b" + b"\x42\x01x" + b"\x60\x01"


@pytest.mark.parametrize("between", [False, True], ids=["rust", "rust and python"])
def test_the_types_go_through_a_pipeline(program: Path, orders: Any, *, between: bool) -> None:
    def paid(message: Message[Any]) -> Any:
        assert message.payload["payment"] == {"Card": {"number": "1234"}}
        return {**message.payload, "payment": {"Voucher": "ox"}}

    parsed: Any = oxflow.streaming_source("source", stream_name="in").apply(
        Parser("parse", orders.Order, codec="protobuf")
    )
    steps = [Map("paid", function=paid)] if between else []
    for step in [Map("first", function=orders.counted), *steps, Map("second", function=orders.counted)]:
        parsed = parsed.apply(step)
    pipeline = parsed.apply(Serializer("write", codec="protobuf")).sink(StreamSink("sink", stream_name="out"))
    expected = WHOLE | {"labels": {"a": "1", "b": "2", "items": "2"}}
    expected |= {"payment": {"Voucher": "ox"}} if between else {}
    (given, _), (wanted, _) = again(program, WHOLE, expected)
    config = {"steps": {"parse": {"on_error": "dead_letter"}}}
    outputs = run(pipeline, {"in": [given, b"\xff"]}, config=config)
    assert outputs["out"] == [wanted]
    assert [letter.as_read.payload for letter in outputs.dead_letters] == [b"\xff"]


def test_the_types_are_printed_with_their_modules(tmp_path: Path) -> None:
    done = schema(PROTOS, "shop/order.proto", "--include", ".", "--output", str(tmp_path / "order.rs"))
    assert (done.returncode, done.stderr) == (0, "")
    types = types_of([ORDER], [PROTOS])
    assert (tmp_path / "order.rs").read_text(encoding="utf-8") == types.text
    assert types.messages == ("shop::v1::Order", "shop::v1::Card")
    assert types_of([PROTOS / "shop/money.proto"]).messages == ("shop::Money",)
    done = schema(PROTOS, "shop/order.proto", "--include", ".", "--output", str(tmp_path / "order.rs"), "--check")
    assert (done.returncode, done.stdout) == (0, "")


def test_the_same_files_make_the_same_text() -> None:
    assert len({types_of([ORDER], [PROTOS]).text for _ in range(5)}) == 1


def test_a_file_that_cannot_become_types_is_told_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "order.proto").write_text(
        'syntax = "proto3";\nmessage Order {\n  Item item = 1;\n}\n', encoding="utf-8"
    )
    done = schema(tmp_path, "order.proto")
    assert (done.returncode, done.stdout) == (3, "")
    assert "error[OXF0704]: " in done.stderr
    assert "  --> order.proto:3\n" in done.stderr
    done = schema(PROTOS, "shop/order.proto")
    assert "shop/money.proto" in done.stderr
    assert (
        "  fix: mend the file; what it imports is looked for beside it, or in the folders of `--include`\n"
        in done.stderr
    )


def test_two_kinds_of_schemas_are_two_sources(tmp_path: Path) -> None:
    (tmp_path / "event.json").write_text("{}", encoding="utf-8")
    with pytest.raises(oxflow.SchemaError, match="JSON Schemas and protobuf cannot become one source"):
        types_of([ORDER, tmp_path / "event.json"])
