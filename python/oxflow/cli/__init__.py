"""The command line, `oxflow`.

Data goes to stdout, everything else to stderr. Exit codes: 0 drained or good, 1 failed, 2 wrong usage, 3 wrong plan,
configuration or extension, 4 a stream cannot be opened, 5 too many messages failed, 130 after a second interrupt; a step that
calls `sys.exit` has its own. An error of the user is told in the
words of its diagnostics; a traceback shows the user's frames only.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from oxflow import __version__
from oxflow.cli import commands, gil, sdk, symbolicate
from oxflow.cli.letter_options import add_dead_letters
from oxflow.cli.match import add_match
from oxflow.cli.show import show_error
from oxflow.errors import OxflowError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    # What `add_parser` of argparse's subparsers is; the class that has it is private there.
    AddCommand: TypeAlias = "Callable[..., argparse.ArgumentParser]"

__all__ = ["main"]

_MOST_WORKERS = 256
_TARGET_HELP = "FILE.py, FILE.py:name, module:object or FILE.yaml; a Python file's pipeline is named `pipeline` unless said otherwise"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        arguments: what follows the name of the program; those of the process if `None`.

    Returns:
        The exit code.
    """
    options = _parser().parse_args(arguments)
    try:
        code: int = options.command(options)
        sys.stdout.flush()
    except OxflowError as error:
        show_error(error)
        return error.exit_code
    except BrokenPipeError:
        _give_up_stdout()
        return 1
    except OSError as error:
        # Errors of files name them.
        if error.filename is not None:
            raise
        _give_up_stdout()
        print(f"error: cannot write to standard output: {error.strerror}", file=sys.stderr)
        return 1
    return code


def _give_up_stdout() -> None:
    """Nobody takes what is written there; the interpreter must not try to flush to it once more."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="oxflow", description="Stream pipelines of Python and Rust steps.")
    parser.add_argument("--version", action="version", version=f"oxflow {__version__}")
    add: AddCommand = parser.add_subparsers(required=True, metavar="COMMAND").add_parser
    _add_run(add)
    _add_check(add)
    _add_graph(add)
    _add_stubs(add)
    explain = add("explain", help="show the page of an error code")
    explain.add_argument(
        "code", metavar="CODE", nargs="?", help="OXF0201, or 201; all codes are listed if there is none"
    )
    explain.set_defaults(command=commands.explain)
    export = add("export", help="print a pipeline as YAML")
    export.add_argument("target", metavar="TARGET", help=_TARGET_HELP)
    export.set_defaults(command=commands.export)
    about = "print the JSON Schema of a pipeline in YAML"
    add("pipeline-schema", help=about).set_defaults(command=commands.pipeline_schema)
    schema = add("config-schema", help="print the JSON Schema of the configuration")
    schema.set_defaults(command=commands.config_schema)
    add_dead_letters(add, _add_settings, _positive)
    add_match(add)
    _add_schema(add)
    _add_gil(add)
    _add_symbolicate(add)
    _add_project_commands(add)
    return parser


def _add_run(add: AddCommand) -> None:
    run = add("run", help="run a pipeline", description="Run a pipeline until its source ends.")
    _add_bindings(run)
    run.add_argument("--json", action="store_true", help="print the report, or what is wrong, as JSON")
    run.add_argument(
        "--quiet", action="store_true", help="print no report but that of --json, no progress and no notes"
    )
    run.add_argument(
        "--workers", metavar="N", type=_count, default=1, help="processes that share a source in Kafka out; default: 1"
    )
    run.set_defaults(command=commands.run)


def _add_check(add: AddCommand) -> None:
    about = "Check every name, type and configuration key of a pipeline without running it."
    check = add("check", help="check a pipeline without running it", description=about)
    _add_bindings(check)
    check.add_argument("--json", action="store_true", help="print what was found as JSON")
    check.set_defaults(command=commands.check)


def _add_graph(add: AddCommand) -> None:
    graph = add("graph", help="draw a pipeline")
    graph.add_argument("target", metavar="TARGET", help=_TARGET_HELP)
    graph.add_argument(
        "--format", choices=("mermaid", "svg", "dot", "json", "plan"), default="mermaid", help="default: mermaid"
    )
    graph.set_defaults(command=commands.graph)


def _add_symbolicate(add: AddCommand) -> None:
    about = "Print a stack trace of minified JavaScript with the places of its sources."
    parser = add("symbolicate", help="say where a stack trace of minified code comes from", description=about)
    parser.add_argument(
        "file",
        metavar="FILE",
        help="a trace as a browser prints it, or JSON with `stack` or Sentry's `stacktrace`; - for stdin",
    )
    parser.add_argument(
        "--maps", metavar="DIR", required=True, help="where the maps are: app.js.map, or an index app.js.oxmap"
    )
    parser.set_defaults(command=symbolicate.symbolicate_file)


def _add_gil(add: AddCommand) -> None:
    about = "Call a function alone and beside another thread, and say what it leaves to that thread."
    parser = add("gil", help="measure what a call costs other threads", description=about)
    parser.add_argument("target", metavar="MODULE:FUNCTION", help="a function that can be imported")
    parser.add_argument(
        "--args-json",
        metavar="JSON",
        default="[]",
        help="its arguments: a list, or an object of named ones; default: []",
    )
    parser.add_argument("--max-stall-ms", metavar="MS", type=float, help="exit with 1 if the longest stall is longer")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.set_defaults(command=gil.gil)


def _add_project_commands(add: AddCommand) -> None:
    new = add("new", help="make a project of Rust steps")
    new.add_argument("name", metavar="NAME", help="of the Python module")
    new.add_argument("--path", metavar="DIR", help="the project's folder; default: NAME")
    new.add_argument("--monorepo", action="store_true", help="many teams' functions, each in a file of its own")
    new.add_argument("--pure-rust", action="store_true", help="a program that is a whole pipeline, without Python")
    new.set_defaults(command=sdk.new)
    more = add("add", help="add a function to a project")
    more.add_argument("kind", choices=("function",))
    more.add_argument("name", metavar="NAME")
    more.add_argument("--team", metavar="TEAM", help="whose it is: its files lie in a folder of this name")
    _add_project_path(more)
    more.set_defaults(command=sdk.add)
    update = add("update-sdk", help="give a project the SDK of this oxflow")
    _add_project_path(update)
    update.set_defaults(command=sdk.update_sdk)
    doctor = add("doctor", help="say whether all versions go together, and what to do")
    doctor.add_argument("modules", metavar="MODULE", nargs="*", help="an extension module to look at")
    doctor.add_argument("--json", action="store_true", help="print what was found as JSON")
    doctor.set_defaults(command=sdk.doctor)


def _add_project_path(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--path", metavar="DIR", default=".", help="the project's folder or one in it; default: this one"
    )


def _add_stubs(add: AddCommand) -> None:
    about = "Write the .pyi of a Rust extension module, from what the compiled module shows."
    parser = add("stubs", help="write the stub of a Rust extension module for type checkers", description=about)
    parser.add_argument(
        "modules", metavar="MODULE", nargs="+", help="an installed module, or the package that holds it"
    )
    parser.add_argument(
        "--output", metavar="PATH", type=Path, help="file or folder; default: in the crate's sources if they are known"
    )
    way = parser.add_mutually_exclusive_group()
    way.add_argument("--check", action="store_true", help="write nothing; print what differs and exit with 1")
    way.add_argument("--print", action="store_true", help="print the stub in place of writing it")
    parser.set_defaults(command=sdk.stubs)


def _add_schema(add: AddCommand) -> None:
    about = "Write the Rust types of JSON Schemas, each a module if there are several, or of protobuf."
    parser = add("schema", help="write the Rust types of JSON Schemas or protobuf", description=about)
    parser.add_argument("files", metavar="FILE", type=Path, nargs="+", help="a JSON Schema or a .proto file")
    parser.add_argument(
        "--output", metavar="PATH", type=Path, help="the source file to write; default: standard output"
    )
    about = "where imports of .proto files are looked for; may be given several times; default: beside the files"
    parser.add_argument("--include", metavar="DIR", type=Path, action="append", default=[], help=about)
    parser.add_argument(
        "--check", action="store_true", help="write nothing; print what differs in the output and exit with 1"
    )
    parser.set_defaults(command=sdk.schema)


def _add_bindings(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("target", metavar="TARGET", help=_TARGET_HELP)
    _add_settings(parser)


def _add_settings(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", metavar="FILE", help="YAML configuration")
    _add_pairs(parser, "--set", "KEY=VALUE", "overrides", "set a configuration value")
    _add_pairs(parser, "--stream", "NAME=URL", "streams", "bind a stream")


def _add_pairs(parser: argparse.ArgumentParser, option: str, metavar: str, name: str, about: str) -> None:
    about = f"{about}; may be given several times"
    parser.add_argument(
        option, metavar=metavar, dest=name, help=about, action="append", type=_pair(metavar), default=[]
    )


def _count(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= _MOST_WORKERS:
        raise argparse.ArgumentTypeError(f"`{text}` is not a number from 1 to {_MOST_WORKERS}")
    return int(text)


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"`{text}` is not a number from 1 on")
    return int(text)


def _pair(form: str) -> Callable[[str], tuple[str, str]]:
    def pair(text: str) -> tuple[str, str]:
        name, separator, value = text.partition("=")
        if not (name and separator):
            raise argparse.ArgumentTypeError(f"`{text}` is not of the form {form}")
        return name, value

    return pair
