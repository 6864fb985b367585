"""Breaks what oxflow promises on Kafka, and expects the tests on a real broker to see it.

`fault_mutants.py FOLDER PYTHON MATURIN [PART OF A NAME]` works on a copy of the repository in FOLDER, builds a wheel of each edit and lets the tests of
this checkout run it.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
LANE = Path("crates/oxflow-engine/src/lane")
KAFKA = Path("crates/oxflow-engine/src/connect/kafka")


# What the judge says.
SEEN = re.compile(r"\d+ (dead letters )?lost|[1-9]\d* repeated")


class Mutant(NamedTuple):
    """An edit that breaks a promise, and the test that is to see it."""

    broken: str
    file: Path
    old: str
    new: str
    test: str
    # What the test says then.
    seen: re.Pattern[str] = SEEN


MUTANTS = (
    Mutant(
        "outputs are settled when they are sent",
        LANE / "outbox.rs",
        "self.under_way.push_back(UnderWay { number, meta, rows });",
        "state.settle(&meta, &rows);\nself.under_way.push_back(UnderWay { number, meta, rows: Vec::new() });",
        "outputs_are_on_their_way and good",
    ),
    Mutant(
        "dead letters are not waited for",
        LANE / "letters.rs",
        "self.hold(partition, sequence);",
        "",
        "outputs_are_on_their_way and bad",
    ),
    Mutant(
        "offsets are committed beside the transaction",
        KAFKA / "transactions.rs",
        """let deadline = Deadline::after(self.settings.timeout.min(STUCK));
        let ended = deadline.call(move || {
            deadline.repeat(|| asked.send_offsets_to_transaction(&offsets, &member, TURN))?;""",
        """let deadline = Deadline::after(self.settings.timeout.min(STUCK));
        let (reader, _) = (self.group.reader(), member);
        let ended = deadline.call(move || {
            let mode = rdkafka::consumer::CommitMode::Sync;
            deadline.repeat(|| reader.as_ref().map_or(Ok(()), |reader| reader.commit(&offsets, mode)))?;""",
        "named_place and offsets",
    ),
    Mutant(
        "offsets are taken from whoever sends them: no fence",
        KAFKA / "transactions.rs",
        """let member = reader.group_metadata()?;
        let is_ours = membership::is_member(&reader) && self.group.has(moved.iter());""",
        """let config = client::consumer(&self.group.settings, self.group.queue_bytes(), None);
        let stranger: rdkafka::consumer::BaseConsumer = config.create().ok()?;
        let member = stranger.group_metadata()?;
        let is_ours = membership::is_member(&reader) || self.group.has(moved.iter()) || true;""",
        "slept_too_long",
    ),
    Mutant(
        "what was in hand when it was undone is written",
        LANE / "even.rs",
        "return Err(LaneError::Undone);",
        "let _ = cut.life();",
        "slept_too_long or goes_on_by_itself",
    ),
    Mutant(
        "branches that are not as far as others are forgotten",
        LANE / "even.rs",
        "tracker.oldest() <= *latest",
        "tracker.oldest() < *latest && false",
        "killed_again",
    ),
    Mutant(
        "what was undone counts as settled",
        KAFKA / "ownership.rs",
        "pub(super) fn counts(&self, epoch: u64) -> bool {\n        epoch >= self.first",
        "pub(super) fn counts(&self, epoch: u64) -> bool {\n        epoch > 0 || self.first > 0",
        "while_partitions_go",
    ),
    Mutant(
        "bad messages become no dead letters",
        LANE / "letters.rs",
        "let told = !posted.messages.insert((fault.step, partition, sequence));",
        "let told = posted.messages.insert((fault.step, partition, sequence)) || true;",
        "one_bad_message",
        re.compile(r"assert \[\] =="),
    ),
    Mutant(
        "the limit of bad messages ends nothing",
        LANE / "judge.rs",
        "if let Some(breach) = state.post(meta, rows, &fault, &mut posted)? {",
        "if let Some(breach) = state.post(meta, rows, &fault, &mut posted)?.filter(|_| rows.is_empty()) {",
        "nothing_but_bad_messages",
        re.compile("TimeoutExpired"),
    ),
    Mutant(
        "messages are given up while no broker answers",
        KAFKA / "client.rs",
        '.set("message.timeout.ms", "0")',
        '.set("message.timeout.ms", "1000")',
        "goes_on_by_itself",
        re.compile("Message timed out"),
    ),
    Mutant(
        "whoever comes sends dead letters",
        KAFKA / "turn.rs",
        "Ok(There::Alone) =>",
        "Ok(_) =>",
        "several_replays",
        re.compile(r"assert \d+ =="),
    ),
    Mutant(
        "open lists stay open when partitions go",
        LANE / "mod.rs",
        "self.finish_lists()?;",
        "",
        "come_and_go",
    ),
    Mutant(
        "sinks that stand still stop no reading",
        LANE / "mod.rs",
        "if self.is_crowded() {",
        "if self.is_crowded() && self.state.number > 256 {",
        "sink_that_stands_still",
        re.compile("that both lanes stand took|grew by"),
    ),
    Mutant(
        "a lane that stands still is not told",
        Path("crates/oxflow-engine/src/job/health.rs"),
        "stalled: stands > self.patience,",
        "stalled: stands > self.patience && lane > 256,",
        "holds_the_interpreter",
        re.compile(r"assert set\(\) =="),
    ),
)


def copy(folder: Path) -> None:
    """Put what the wheel is built of into a folder of its own."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    shutil.rmtree(folder, ignore_errors=True)
    for name in filter(None, listed.split("\0")):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, folder / name)


def built(folder: Path, python: str, maturin: str) -> Path:
    """Build a wheel and unpack it where `PYTHONPATH` can find it."""
    wheels, site = folder / "wheels", folder / "site"
    shutil.rmtree(wheels, ignore_errors=True)
    shutil.rmtree(site, ignore_errors=True)
    command = [maturin, "build", "--quiet", "--interpreter", python, "--auditwheel", "skip", "--profile", "dev"]
    subprocess.run([*command, "--locked", "--features", "stubs,crash-points", "--out", wheels], cwd=folder, check=True)
    (wheel,) = wheels.glob("*.whl")
    with zipfile.ZipFile(wheel) as content:
        content.extractall(site)
    return site


def is_seen(mutant: Mutant, folder: Path, python: str, maturin: str) -> bool:
    """Tell whether its test sees it."""
    file = folder / mutant.file
    source = file.read_text(encoding="utf-8")
    command = [python, "-m", "pytest", "-q", "tests/faults", "-k", mutant.test]
    file.write_text(source.replace(mutant.old, mutant.new), encoding="utf-8")
    try:
        site = built(folder, python, maturin)
        # The tests build the programs.
        environment = os.environ | {"PYTHONPATH": str(site), "OXFLOW_PURE_CRATE": str(folder / "tests/pure")}
        ran = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    finally:
        file.write_text(source, encoding="utf-8")
    told = [line for line in ran.stdout.splitlines() if line.startswith("E  ") and mutant.seen.search(line)]
    print(mutant.broken, *told, sep="\n")
    return ran.returncode == 1 and bool(told)


def main(folder: Path, python: str, maturin: str, only: str = "") -> int:
    """Try them all, or those that are called so."""
    copy(folder)
    wanted = [mutant for mutant in MUTANTS if only in mutant.broken]
    for mutant in wanted:
        if (folder / mutant.file).read_text(encoding="utf-8").count(mutant.old) != 1:
            sys.exit(f"{mutant.file} has changed: {mutant.old}")
    unseen = [mutant for mutant in wanted if not is_seen(mutant, folder, python, maturin)]
    # Cargo would take what was built last for what this checkout has.
    built(folder, python, maturin)
    program = ["cargo", "build", "--quiet", "--locked", "--manifest-path", str(folder / "tests/pure/Cargo.toml")]
    subprocess.run([*program, "--features", "faults"], check=True)
    for mutant in unseen:
        print(f"no test sees that {mutant.broken}", file=sys.stderr)
    print(f"{len(wanted) - len(unseen)} of {len(wanted)} mutants were seen")
    return 1 if unseen else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]).resolve(), *sys.argv[2:]))
