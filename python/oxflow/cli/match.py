"""`oxflow match`: tasks of a file on offers of a file."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from oxflow.errors import Diagnostic, SchedulerError
from oxflow.scheduler.matcher import Matcher
from oxflow.scheduler.policy import Policy

if TYPE_CHECKING:
    from collections.abc import Callable

    from oxflow.scheduler.matching import Matching

__all__ = ["add_match", "match"]

_POLICIES = ("best_fit", "worst_fit", "first_fit", "ratio", "most_allocated", "least_allocated")


def add_match(add: Callable[..., argparse.ArgumentParser]) -> None:
    """Describe the command."""
    about = "Place the tasks of a file of JSON lines on the offers of another one."
    parser = add("match", help="place tasks on offers", description=about)
    parser.add_argument(
        "tasks", metavar="TASKS", type=Path, help="a JSON object a line: `name`, resources, what else a task may have"
    )
    parser.add_argument("offers", metavar="OFFERS", type=Path, help="the same with `name`, resources, `attributes`")
    parser.add_argument(
        "--resources", metavar="NAME,...", help="default: the fields of the first offer that are amounts"
    )
    parser.add_argument("--policy", choices=_POLICIES, default="best_fit", help="default: best_fit")
    parser.add_argument(
        "--weight", metavar="NAME=NUMBER", type=_weight, action="append", default=[], help="may be given several times"
    )
    parser.add_argument("--threshold", metavar="NUMBER", type=float, help="scores must be below it")
    parser.add_argument("--mode", choices=("exclusive", "shared"), default="exclusive", help="default: exclusive")
    parser.add_argument("--explain", action="store_true", help="say why tasks were left over")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(command=match)


def match(options: argparse.Namespace) -> int:
    """Match, and print what came of it. The exit code is 0 also if tasks were left over."""
    offers, tasks = _read(options.offers), _read(options.tasks)
    resources = options.resources.split(",") if options.resources else _amounts(offers[0] if offers else {})
    if not resources:
        text = f"`{options.offers}` doesn't say what the resources are"
        raise SchedulerError(Diagnostic("OXF1005", text, fix="name them with `--resources`"))
    policy = Policy(options.policy, dict(options.weight) or None)
    matcher = Matcher(resources=resources, score=policy, threshold=options.threshold, mode=options.mode)
    matcher.add_offers(offers)
    matching = matcher.match(tasks)
    if options.json:
        _print_json(matching, explain=options.explain)
    else:
        _print_lines(matching, explain=options.explain)
    return 0


def _print_json(matching: Matching, *, explain: bool) -> None:
    unplaced = [
        asdict(task.why) if explain else {"task": task.task, "cause": task.cause, "named": task.named}
        for task in matching.unplaced.values()
    ]
    pairs = [{"task": task, "offer": offer} for task, offer in matching.pairs]
    print(json.dumps({"pairs": pairs, "unplaced": unplaced, "stats": asdict(matching.stats)}))


def _print_lines(matching: Matching, *, explain: bool) -> None:
    for task, offer in matching.pairs:
        print(f"{task}\t{offer}")
    stats = matching.stats
    print(f"{stats.placed:,} of {stats.tasks:,} tasks placed on {stats.offers:,} offers", file=sys.stderr)
    if explain:
        for left in matching.unplaced.values():
            print(left.why, file=sys.stderr)


def _read(path: Path) -> list[dict[str, Any]]:
    lines = path.read_bytes().splitlines()
    return [_object(path, number, line) for number, line in enumerate(lines, 1) if line.strip()]


def _object(path: Path, number: int, line: bytes) -> dict[str, Any]:
    try:
        read: Any = json.loads(line)
    except ValueError as error:
        raise _bad_line(path, number, str(error)) from None
    if not isinstance(read, dict):
        raise _bad_line(path, number, "not an object")
    return read  # pyright: ignore[reportUnknownVariableType]


def _bad_line(path: Path, number: int, why: str) -> SchedulerError:
    return SchedulerError(
        Diagnostic("OXF1008", f"line {number} of `{path}` is no JSON object", why=why, fix="mend the line")
    )


def _amounts(offer: dict[str, Any]) -> list[str]:
    amounts = (int, float, str)
    return [
        name
        for name, value in offer.items()
        if name != "name" and isinstance(value, amounts) and not isinstance(value, bool)
    ]


def _weight(text: str) -> tuple[str, float]:
    name, _, number = text.partition("=")
    try:
        return name, float(number)
    except ValueError:
        raise argparse.ArgumentTypeError(f"`{text}` is not of the form NAME=NUMBER") from None
