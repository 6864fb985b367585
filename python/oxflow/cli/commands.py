"""What each command does. A command takes the parsed options and gives the exit code."""

from __future__ import annotations

import json
import os
import sys
import threading
from contextlib import closing
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, TextIO

from oxflow import _oxflow
from oxflow._run import bind, execute
from oxflow.cli.display import Display
from oxflow.cli.logs import shown
from oxflow.cli.show import coloured, is_coloured
from oxflow.cli.target import load
from oxflow.cli.workers import check_shared, supervise
from oxflow.definition import written
from oxflow.errors import Diagnostic, OxflowError, PlanError
from oxflow.plan import Plan, lower

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from oxflow._run import Bound
    from oxflow.report import RunReport

_UNBOUND = "OXF0401"
_STOPPING = b"oxflow: stopping; press Ctrl-C again to end at once\n"
# Nobody presses keys where there is no terminal.
_STOPPING_UNSEEN = b"oxflow: stopping; a second signal ends it at once\n"


def run(options: argparse.Namespace) -> int:
    """Run a pipeline and print the report, also that of a run that failed."""
    bound: Bound | None = None
    try:
        bound = _bound(options, lower(load(options.target)))
        bound.check()
        for warning in [] if options.quiet else bound.warnings():
            print(coloured(str(warning), sys.stderr), file=sys.stderr)
        if options.workers > 1:
            check_shared(bound)
            return supervise(options.workers, options)
        report = _run(bound, quiet=options.quiet)
    except OxflowError as error:
        _print_report(error.report, options, bound, error.diagnostics)
        raise
    _print_report(report, options, bound)
    if report.exit is None:
        return 0
    print(f"oxflow: {report.exit}; that message and what comes after it are left for a later run", file=sys.stderr)
    return report.exit.code


def check(options: argparse.Namespace) -> int:
    """Check a pipeline; streams may be left unbound, since they may be bound when it runs."""
    code, found, plan = 0, list[Diagnostic](), None
    outdated = list[Diagnostic]()
    try:
        plan = lower(load(options.target))
        bound = _bound(options, plan)
        outdated = bound.outdated()
        found = [*plan.check()]
        if not found:
            # What is only found when the Rust types and functions are at hand.
            plan.runs()
        found += bound.check_config()
    except OxflowError as error:
        if not options.json:
            raise
        found, code = [*error.diagnostics], error.exit_code
    unbound = [item.message for item in found if item.code == _UNBOUND]
    wrong = [item for item in found if item.code != _UNBOUND]
    if wrong and not code:
        code = _exit_code(wrong)
    for warning in [] if options.json else outdated:
        _say(str(warning))
    if options.json:
        notes = [*unbound, *(item.message for item in outdated)]
        _print_json({"ok": not wrong, "diagnostics": [_as_dict(item) for item in wrong], "notes": notes})
    elif wrong:
        print(coloured("\n\n".join(map(str, wrong)), sys.stderr), file=sys.stderr)
    elif plan is not None:
        _print_good(plan, unbound)
    return code


def graph(options: argparse.Namespace) -> int:
    """Draw a pipeline."""
    print(lower(load(options.target)).graph(options.format).rstrip("\n"))
    return 0


def explain(options: argparse.Namespace) -> int:
    """Show the page of an error code, or the titles of all."""
    if options.code is None:
        pages = {code: _oxflow.explain(code) or "" for code in _oxflow.error_codes()}
        print("\n".join(page.partition("\n")[0].removeprefix("# ") for page in pages.values()))
        return 0
    code = f"OXF{options.code:0>4}" if options.code.isdecimal() else options.code
    page = _oxflow.explain(code)
    if page is None:
        print(
            f"error: there is no code `{options.code}`; codes are {', '.join(_oxflow.error_codes())}", file=sys.stderr
        )
        return 2
    print(page.rstrip("\n"))
    return 0


def export(options: argparse.Namespace) -> int:
    """Print a pipeline as YAML."""
    print(written(load(options.target)), end="")
    return 0


def pipeline_schema(_options: argparse.Namespace) -> int:
    """Print the JSON Schema of a pipeline in YAML."""
    print(_oxflow.pipeline_schema())
    return 0


def config_schema(_options: argparse.Namespace) -> int:
    """Print the JSON Schema of the configuration."""
    print(_oxflow.config_schema().rstrip("\n"))
    return 0


def _bound(options: argparse.Namespace, plan: Plan) -> Bound:
    return bind(plan, streams=dict(options.streams), config=options.config, overrides=dict(options.overrides))


def _run(bound: Bound, *, quiet: bool) -> RunReport:
    if quiet:
        with shown(None):
            return execute(bound)
    if not _may_draw(bound):
        # By hand: a signal's handler calls it, and `sys.stderr` may be in the middle of a line.
        note = _STOPPING if sys.stderr.isatty() else _STOPPING_UNSEEN
        with shown(_say):
            return execute(bound, on_stop=lambda: os.write(2, note))
    with closing(Display(2, colour=is_coloured(sys.stderr))) as display, shown(display.say):
        return execute(bound, on_stop=lambda: display.leave(_STOPPING), look=display.look)


def _say(text: str) -> None:
    print(coloured(text, sys.stderr), file=sys.stderr)


def _may_draw(bound: Bound) -> bool:
    """Whether a picture can stand on the terminal: nothing else may write there, nor what somebody types be echoed."""
    schemes = {stream["url"].partition(":")[0] for stream in bound.config["streams"].values()}
    is_shared = ("stdout" in schemes and sys.stdout.isatty()) or ("stdin" in schemes and sys.stdin.isatty())
    can_move = os.name == "posix" and os.environ.get("TERM", "dumb") != "dumb" and sys.stderr.isatty()
    return can_move and not is_shared and threading.current_thread() is threading.main_thread()


def _exit_code(diagnostics: list[Diagnostic]) -> int:
    """A wrong plan and a wrong configuration are both 3; only a stream's URL alone is a matter of connections."""
    streams_only = all(item.code.startswith("OXF04") for item in diagnostics)
    return 4 if streams_only else PlanError.exit_code


def _print_report(
    report: RunReport | None, options: argparse.Namespace, bound: Bound | None, wrong: Sequence[Diagnostic] = ()
) -> None:
    streams: dict[str, Any] = {} if bound is None else bound.config["streams"]
    # Where messages go to stdout, nothing else may.
    file = sys.stderr if any(stream["url"].startswith("stdout:") for stream in streams.values()) else sys.stdout
    if options.json:
        error = {"error": [_as_dict(item) for item in wrong]} if wrong else {}
        _print_json({**({} if report is None else report.as_dict()), **error}, file)
    elif report is not None and not options.quiet:
        print(report, file=file)


def _print_json(value: object, file: TextIO | None = None) -> None:
    print(json.dumps(value, ensure_ascii=False, indent=2), file=file)


def _as_dict(item: Diagnostic) -> dict[str, Any]:
    place = None if item.place is None else asdict(item.place)
    return {
        "code": item.code,
        "message": item.message,
        "place": place,
        "why": item.why,
        "fix": item.fix,
        "text": str(item),
    }


def _print_good(plan: Plan, unbound: list[str]) -> None:
    runs = plan.runs()
    count = sum(len(run.steps) for run in runs)
    print(f"ok: {count} steps in {len(runs)} runs")
    for run in runs:
        print(f"  {run.language or 'engine':6}  {', '.join(run.steps)}")
    for note in unbound:
        print(f"note: {note}", file=sys.stderr)
