"""Breaks the engine's state machines on purpose, one edit after the other, and expects the engine's tests to notice.

A test that passes whatever its subject does is worth nothing, and nobody sees it. `mutants.py FOLDER` works on a copy of
the crates in FOLDER; the target directory of cargo is shared, so that only the engine is built anew for each edit. It is a
fixed list, one edit a promise, and not `cargo-mutants`: on two cores that took 2.5 minutes to install and 6.6 to run. Of its
95 edits to these files the tests noticed all but one, which changes nothing (of two equal marks `merge` takes either).
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
SOURCES = Path("crates/oxflow-engine/src")
# One test binary, and of it what is about the state machines.
TESTED = ("cargo", "test", "--quiet", "--locked", "-p", "oxflow-engine", "--features", "kafka", "--lib")
FILTERS = ("simulator", "commit", "limits", "window", "checkpoint", "ownership", "wakes_it", "cut", "even")
SECONDS = 120


class Mutant(NamedTuple):
    """An edit that breaks a promise."""

    broken: str
    file: str
    old: str
    new: str


MUTANTS = (
    Mutant("a commit passes an unsettled message", "commit.rs", "oldest.waiting == 0", "oldest.waiting <= 1"),
    Mutant("further outputs are not waited for", "commit.rs", "open.waiting += more;", "let _ = more;"),
    Mutant("a commit is given twice", "commit.rs", "filter(|_| self.safe != self.committed)", "filter(|_| true)"),
    Mutant("what is let go takes its place along", "commit.rs", "=> *last = open,", "=> {}"),
    Mutant("open messages are let go", "commit.rs", "last.waiting == 0 && open.waiting == 0", "last.waiting == 0"),
    Mutant("nothing is let go", "commit.rs", "self.let_go();", ""),
    Mutant(
        "what was given up settles later messages",
        "commit.rs",
        "self.first = self.next;",
        "(self.first, self.next) = (0, 0);",
    ),
    Mutant("a window closes a message late", "window.rs", "self.messages >= limit", "self.messages > limit"),
    Mutant("a window closes a byte late", "window.rs", "self.bytes >= limit", "self.bytes > limit"),
    Mutant("a window closes a moment late", "window.rs", "deadline <= now", "deadline < now"),
    Mutant("a window's time is too long", "window.rs", "from_millis(time))", "from_millis(time + 1))"),
    Mutant("a window keeps its bytes when it closes", "window.rs", "        self.bytes = 0;\n", ""),
    Mutant("settled failures are let go too early", "limits.rs", "row.end >= sequence", "row.end > sequence"),
    Mutant(
        "a row may be longer than its limit", "limits.rs", "bad >= self.limits.in_a_row", "bad > self.limits.in_a_row"
    ),
    Mutant("the share counts a message late", "limits.rs", "messages >= self.limits", "messages > self.limits"),
    Mutant("exactly the share is too much", "limits.rs", "bad * 100 > messages", "bad * 100 >= messages"),
    Mutant("a message fails twice", "limits.rs", "filter(|sequence| !self.holds(*sequence))", "filter(|_| true)"),
    Mutant(
        "what passed last passes again", "checkpoint/marks.rs", "(offset, count) > (mark", "(offset, count) >= (mark"
    ),
    Mutant(
        "outputs of a message are not counted", "checkpoint/marks.rs", "{ mark.rows } else { 0 }", "{ 0 } else { 0 }"
    ),
    Mutant(
        "of several lanes the last counts",
        "checkpoint/marks.rs",
        "if (mark.offset, mark.rows) > (furthest.offset, furthest.rows)",
        "if mark != furthest",
    ),
    Mutant(
        "what was settled before a partition went counts when it is back",
        "connect/kafka/ownership.rs",
        "self.current.get(&partition) == Some(&epoch)",
        "epoch > 0 && self.current.contains_key(&partition)",
    ),
    Mutant(
        "a commit that failed is put back for another time of its partition",
        "connect/kafka/ownership.rs",
        "self.sent.get(&partition) == Some(&(*epoch, offset))",
        "*epoch > 0",
    ),
    Mutant(
        "of two commits that failed the older one is put back",
        "connect/kafka/ownership.rs",
        "self.sent.get(&partition) == Some(&(*epoch, offset))",
        "self.sent.get(&partition).is_some_and(|sent| sent.0 == *epoch)",
    ),
    Mutant(
        "what a sleeper took of a partition that came back is not read again",
        "connect/kafka/ownership.rs",
        "                self.again.insert(partition);\n",
        "",
    ),
    Mutant(
        "what lies behind what a sleeper dropped counts",
        "connect/kafka/ownership.rs",
        "                *current = self.last;\n",
        "",
    ),
    Mutant(
        "what was undone counts",
        "connect/kafka/ownership.rs",
        "        epoch >= self.first\n",
        "        epoch > 0\n",
    ),
    Mutant(
        "a lane doesn't listen to what it begins",
        "connect/kafka/source.rs",
        "self.queues.push((owned, self.listened(queue)));",
        "self.queues.push((owned, queue));",
    ),
    Mutant("partitions are begun while all is held", "connect/kafka/ownership.rs", "!self.held && ", ""),
    Mutant(
        "what came before everything was held stays",
        "connect/kafka/ownership.rs",
        "owned.epoch >= self.first",
        "owned.epoch >= self.first.min(1)",
    ),
    Mutant(
        "lanes write while a cut is wanted", "lane/cut.rs", "!self.wanted || ", "!self.wanted || self.life == 0 || "
    ),
    Mutant("a branch that is behind is forgotten", "lane/even.rs", "oldest() <= *latest", "oldest() < *latest"),
    Mutant(
        "what was undone is written", "lane/cut.rs", "if state.life != life {\n            return false;", "if false {"
    ),
    Mutant(
        "a lane amid its outputs is not waited for", "lane/cut.rs", "!lane.ended && (lane.writes ||", "!lane.ended && ("
    ),
    Mutant(
        "a second run forgets the first one's marks",
        "checkpoint/marks.rs",
        "now: before.clone(), before",
        "now: Marks::new(), before",
    ),
)


def copy(folder: Path) -> None:
    """Make a copy of what cargo needs."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(ROOT / "crates", folder / "crates")
    for file in ("Cargo.toml", "Cargo.lock"):
        shutil.copy(ROOT / file, folder / file)


def broken(source: str, mutant: Mutant) -> str:
    """Apply an edit to the code that stands before the tests."""
    code, tests, rest = source.partition("#[cfg(test)]")
    if code.count(mutant.old) != 1:
        sys.exit(f"`{mutant.old}` stands {code.count(mutant.old)} times in {mutant.file}: mend the list in {__file__}")
    return code.replace(mutant.old, mutant.new) + tests + rest


def build(folder: Path) -> None:
    """Build the tests: an edit that doesn't compile proves nothing."""
    built = subprocess.run([*TESTED, "--no-run"], cwd=folder, capture_output=True, text=True, check=False)
    if built.returncode:
        sys.exit(f"the engine's tests are not built:\n{built.stderr}")


def noticed(folder: Path) -> bool:
    """Run the tests; a test that goes on for ever has noticed, too."""
    command = [*TESTED, "--", *FILTERS]
    quiet = subprocess.DEVNULL
    # In a session of its own, so that the test goes with the cargo that started it.
    with subprocess.Popen(command, cwd=folder, stdout=quiet, stderr=quiet, start_new_session=True) as tested:
        try:
            return tested.wait(timeout=SECONDS) != 0
        except subprocess.TimeoutExpired:
            os.killpg(tested.pid, signal.SIGKILL)
            return True


def survives(folder: Path, mutant: Mutant) -> bool:
    """Tell whether the tests pass with an edit; the copy is as it was afterwards."""
    file = folder / SOURCES / mutant.file
    source = file.read_text(encoding="utf-8")
    file.write_text(broken(source, mutant), encoding="utf-8")
    try:
        build(folder)
        return not noticed(folder)
    finally:
        file.write_text(source, encoding="utf-8")


def main(folder: Path) -> int:
    """Try them all."""
    copy(folder)
    # First, since what follows takes minutes: that each edit has its place.
    for mutant in MUTANTS:
        broken((folder / SOURCES / mutant.file).read_text(encoding="utf-8"), mutant)
    build(folder)
    if noticed(folder):
        sys.exit("the engine's tests fail already")
    survivors = [mutant for mutant in MUTANTS if survives(folder, mutant)]
    # Cargo would take what was built last for the engine of this checkout.
    build(folder)
    for mutant in survivors:
        print(f"no test notices that {mutant.broken}: `{mutant.new}` in {mutant.file}", file=sys.stderr)
    print(f"{len(MUTANTS) - len(survivors)} of {len(MUTANTS)} mutants were noticed")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
