"""The tree of errors, and how an error reads."""

from __future__ import annotations

import copy
import json
import pickle

import pytest

from oxflow import errors
from oxflow.errors import DecodeError, Diagnostic, EncodeError, OxflowError, Place, PlanError, StepError, StepPanicked

DIAGNOSTIC = Diagnostic(
    code="OXF0201",
    message="step `enrich` returns `str`, but `route` takes `Metric`",
    place=Place("app/pipeline.py", 41, '.apply(Map("route", function=rs.Route()))'),
    why="`rs.Route` is Rust;\nits input type is fixed when it is built",
    fix="annotate `enrich` -> Metric",
)


def test_a_diagnostic_says_what_where_why_and_how_to_mend_it() -> None:
    assert (
        str(DIAGNOSTIC)
        == """\
error[OXF0201]: step `enrich` returns `str`, but `route` takes `Metric`
  --> app/pipeline.py:41  .apply(Map("route", function=rs.Route()))
  why: `rs.Route` is Rust;
       its input type is fixed when it is built
  fix: annotate `enrich` -> Metric
  more: oxflow explain OXF0201"""
    )


def test_what_is_not_known_is_left_out() -> None:
    assert str(Diagnostic("OXF0901", "a bug")) == "error[OXF0901]: a bug\n  more: oxflow explain OXF0901"


def test_an_error_lists_all_its_diagnostics() -> None:
    error = PlanError(Diagnostic("OXF0101", "one"), Diagnostic("OXF0102", "two"))
    assert error.code == "OXF0101"
    assert str(error) == (
        "error[OXF0101]: one\n  more: oxflow explain OXF0101\n\nerror[OXF0102]: two\n  more: oxflow explain OXF0102"
    )


@pytest.mark.parametrize(
    ("kind", "name", "exit_code"),
    [
        ("plan", "PlanError", 3),
        ("config", "ConfigError", 3),
        ("extension", "ExtensionError", 3),
        ("schema", "SchemaError", 3),
        ("stream", "StreamError", 4),
        ("step", "StepError", 1),
        ("panic", "StepPanicked", 1),
        ("limit", "TooManyFailedError", 5),
        ("internal", "InternalError", 1),
    ],
)
def test_each_kind_of_report_has_its_class_and_exit_code(kind: str, name: str, exit_code: int) -> None:
    item = {
        "code": "OXF0501",
        "message": "m",
        "place": {"file": "f.py", "line": 3, "text": "t"},
        "why": None,
        "text": "T",
    }
    error = errors.from_report(json.dumps({"kind": kind, "diagnostics": [item]}))
    assert type(error).__name__ == name
    assert type(error).exit_code == exit_code
    assert error.diagnostics == (Diagnostic("OXF0501", "m", Place("f.py", 3, "t")),)
    assert str(error) == "T"


def test_a_panic_is_caught_as_a_step_error() -> None:
    assert issubclass(StepPanicked, StepError)


@pytest.mark.parametrize("error", [PlanError(DIAGNOSTIC, DIAGNOSTIC), DecodeError("no"), EncodeError("no")])
def test_errors_can_be_pickled_and_copied(error: OxflowError) -> None:
    for again in (pickle.loads(pickle.dumps(error)), copy.copy(error)):  # noqa: S301  # our own bytes
        assert type(again) is type(error)
        assert str(again) == str(error)
        assert again.diagnostics == error.diagnostics
