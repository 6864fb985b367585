"""The commands that are measured."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Programs:
    """Where things are.

    Attributes:
        oxflow: a Python with oxflow and the Rust steps.
        peers: a Python with bytewax and orjson.
        loop: the plain Rust loop.
    """

    oxflow: str
    peers: str
    loop: str


@dataclass(frozen=True)
class Contestant:
    """Something that does the work.

    Attributes:
        name: as the table calls it.
        pipeline: for oxflow the name of the pipeline.
        settings: for oxflow `KEY=VALUE`.
    """

    name: str
    pipeline: str = ""
    settings: tuple[str, ...] = ()

    def command(self, programs: Programs, source: Path, sink: Path | None) -> list[str]:
        """The command that reads `source` and writes `sink`, or nothing.

        Args:
            programs: where things are.
            source: a file; for oxflow a pattern may stand for several.
            sink: the file that is made anew, or `None` to throw away what is made.
        """
        if self is COPY:
            # In pieces as oxflow reads them; `cat` would need a shell, and `cp` lets the kernel copy by itself.
            return ["dd", f"if={source}", f"of={sink or '/dev/null'}", "bs=1M", "status=none"]
        if not self.pipeline:
            peer = {
                "rust loop": [programs.loop, "owned"],
                "rust loop, borrowed": [programs.loop, "borrowed"],
                "orjson loop": [programs.peers, str(HERE / "peers/orjson_loop.py")],
                "bytewax": [programs.peers, str(HERE / "peers/bytewax_flow.py")],
            }[self.name]
            return [*peer, str(source), *([str(sink)] if sink else [])]
        target = f"{HERE / 'pipelines.py'}:{self.pipeline}"
        streams = ["--stream", f"in=file:{source}", "--stream", f"out=file:{sink}" if sink else "out=null:"]
        settings = [part for setting in ("run.lanes=1", *self.settings) for part in ("--set", setting)]
        return [programs.oxflow, "-m", "oxflow", "run", target, "--quiet", *streams, *settings]


COPY = Contestant("plain copy")
RUST_LOOP = Contestant("rust loop")
ORJSON_LOOP = Contestant("orjson loop")
BYTEWAX = Contestant("bytewax")
BORROWED_LOOP = Contestant("rust loop, borrowed")
RUST = Contestant("oxflow, Rust", "rust")
BORROWED = Contestant("oxflow, Rust, borrowed", "rust_borrowed")
PYTHON = Contestant("oxflow, Python", "python")
TYPED = Contestant("oxflow, Python, TypedDict", "python_typed")
RUST_FILTER = Contestant("oxflow, TypedDict, Rust filter", "typed_rust_filter")
RUST_MAP = Contestant("oxflow, TypedDict, Rust map", "typed_rust_map")
DICT_RUST_FILTER = Contestant("oxflow, Python, Rust filter", "dict_rust_filter")
DICT_RUST_MAP = Contestant("oxflow, Python, Rust map", "dict_rust_map")
NOTHING = Contestant("oxflow, no step", "nothing")
AT_LEAST_ONCE = Contestant("oxflow, at least once", "rust", ("run.delivery=at_least_once",))
TWO_LANES = Contestant("oxflow, 2 lanes", "rust", ("run.lanes=2",))

# All of them do the same work.
WORKERS = (
    RUST_LOOP,
    BORROWED_LOOP,
    ORJSON_LOOP,
    BYTEWAX,
    RUST,
    BORROWED,
    PYTHON,
    DICT_RUST_FILTER,
    DICT_RUST_MAP,
    TYPED,
    RUST_FILTER,
    RUST_MAP,
)
