"""The rules of the house, each as a test that says what to do when it fails.

`ARCHITECTURE.md` names them and gives the reasons.
"""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
ENGINE = ROOT / "crates/oxflow-engine"
PACKAGE = ROOT / "python/oxflow"

# From the bottom up: a module imports only those before it. Names of a package stand for all its modules.
LAYERS = (
    "_oxflow", "_logs", "gil", "pytest_plugin", "_terminal", "_traceback", "errors", "telemetry", "scheduler", "dead_letter", "_place", "_records", "_shapes", "_payloads", "_convert", "codec", "_builds", "_extension",
    "sourcemap", "_signatures", "steps", "pipeline", "definition", "plan", "_recorded", "report", "_lifetime", "_signals", "_run", "testing", "sdk", "cli", "__main__",
)  # fmt: skip
# Inside a function: a pipeline that is printed as a graph is lowered first, and a module that has one runs it.
UPWARD = {("pipeline", "plan"), ("_extension", "definition"), ("_extension", "_run")}
# What each has to do with the C ABI, the reason for unsafe code, or why it has another.
UNSAFE = {
    "crates/oxflow/src/abi.rs": "the ABI itself: tables of `unsafe extern` functions",
    "crates/oxflow/src/abi/growth.rs": "reads structs of the other side, of any version",
    "crates/oxflow/src/abi/host.rs": "the ABI's other half: the runtime's `unsafe extern` functions",
    "crates/oxflow/src/abi/objects.rs": "the ABI of Python objects: tables of `unsafe extern` functions",
    "crates/oxflow/src/batch.rs": "the entries of functions of many messages: takes handles",
    "crates/oxflow/src/closure.rs": "the entries of functions that are closures: takes handles and rows",
    "crates/oxflow/src/columns.rs": "copies the metadata that the runtime lends for a call",
    "crates/oxflow/src/construct.rs": "the entries that make and free functions of arguments",
    "crates/oxflow/src/encode.rs": "the entries of the way out: takes handles, frees what it gave",
    "crates/oxflow/src/host/api.rs": "calls the runtime's entries",
    "crates/oxflow/src/host/tracing.rs": "takes back the metadata of a span that it gave to the runtime",
    "crates/oxflow/src/python/gather.rs": "the entries that read Python objects one by one",
    "crates/oxflow/src/python/kept.rs": "holds the strings and bytes that rows borrow from",
    "crates/oxflow/src/python/objects.rs": "the entries between payloads and Python objects",
    "crates/oxflow/src/python/offer.rs": "the entries that make Python objects one by one",
    "crates/oxflow/src/python/mod.rs": "the module's entry, and the capsule that has the tables",
    "crates/oxflow/src/report.rs": "calls the runtime back with a fault",
    "crates/oxflow/src/run.rs": "the entries of the tables: takes handles and rows",
    "crates/oxflow/src/table.rs": "shares the tables, which hold raw pointers, between threads",
    "crates/oxflow-engine/src/connect/kafka/headers.rs": "reads headers whose names are no UTF-8, which librdkafka's safe face can't",
    "crates/oxflow-engine/src/connect/kafka/membership.rs": "asks whether the group knows a consumer, which librdkafka's safe face hands on without showing",
    "crates/oxflow-engine/src/extension/function.rs": "makes and frees functions of arguments",
    "crates/oxflow-engine/src/extension/mod.rs": "reads a module's tables",
    "crates/oxflow-engine/src/extension/taken.rs": "copies a module's tables when it is taken",
    "crates/oxflow-engine/src/extension/tests.rs": "makes tables as modules of other versions do",
    "crates/oxflow-engine/src/host/api.rs": "the runtime's entries, which modules call",
    "crates/oxflow-engine/src/host/modules.rs": "gives modules the runtime's table, and shares both between threads",
    "crates/oxflow-engine/src/host/tests.rs": "calls the runtime's entries as a module does",
    "crates/oxflow-engine/src/run/gather.rs": "lends objects to a module one by one, and gives its loans back",
    "crates/oxflow-engine/src/run/native.rs": "calls a module's entries and reads what they give",
    "crates/oxflow-engine/src/run/offer.rs": "takes objects of a module one by one",
    "crates/oxflow-engine/src/run/one.rs": "calls a module's entries with one message",
    "crates/oxflow-engine/src/run/native/tests.rs": "stands for a module whose entries count",
    "crates/oxflow-engine/src/run/rows.rs": "lends rows to a call, and takes its faults",
    "crates/oxflow-sourcemap/src/index/mapped.rs": "maps an index file, whose bytes are checked at each use",
    "crates/oxflow-sourcemap/src/simd/avx2.rs": "loads and stores of vectors, in functions that run where the processor has them",
    "crates/oxflow-sourcemap/src/simd/avx512.rs": "loads and stores of vectors, in functions that run where the processor has them",
    "crates/oxflow-sourcemap/src/simd/sums.rs": "loads and stores of vectors, in functions that run where the processor has them",
    "crates/oxflow-telemetry/src/fork.rs": "asks the C library to call it before and after a fork",
    "crates/oxflow-python/src/arrow/interface.rs": "takes structs of the Arrow C data interface out of capsules, and frees them",
    "crates/oxflow-python/src/arrow/read.rs": "reads the buffers of Arrow arrays",
    "crates/oxflow-python/src/call.rs": "lends objects to a module and takes its own",
    "crates/oxflow-python/src/extension.rs": "takes the tables out of a capsule",
    "crates/oxflow-python/src/runtime/emit.rs": "lends the objects of a run to a module",
    "crates/oxflow-python/src/runtime/payload.rs": "takes the objects that a module makes",
    "crates/oxflow-python/src/runtime/run.rs": "gives a module's loans back while the interpreter is held",
    "crates/oxflow-python/src/runtime/spare.rs": "the object of a message that nobody else has gets other contents",
    "crates/oxflow-python/src/runtime/stack.rs": "declares the system's `pthread_kill`, by which a lane is asked for its stack",
    "crates/oxflow-python/src/signals.rs": "declares the system's `_exit`, for which Rust has no name",
    "crates/oxflow-python/src/walk.rs": "asks the C ABI of CPython for what PyO3 asks in more calls",
}
# The bound of each as the code has it, and as docs/concepts/how-it-runs.md says it.
QUEUES = {
    "crates/oxflow-engine/src/command/run.rs": [],  # holds no messages
    "crates/oxflow-engine/src/connect/file/compression.rs": [("BufReader::new(Counted", "8 KiB for gzip")],
    "crates/oxflow-engine/src/connect/file/output.rs": [("BufWriter::with_capacity(256 << 10", "256 KiB")],
    "crates/oxflow-engine/src/connect/kafka/deadline.rs": [],  # holds the outcome of a call
    "crates/oxflow-engine/src/connect/kafka/token.rs": [],  # holds no messages
    "crates/oxflow-engine/src/connect/piped.rs": [
        ("CHUNK_BYTES: usize = 64 << 10", "chunks of 64 KiB"),
        ("CHUNKS_AHEAD: usize = 4", "4 are read ahead"),
    ],
    "crates/oxflow-engine/src/host/queue.rs": [
        ("QUEUE_RECORDS: usize = 8192", "8,192 records"),
        ("QUEUE_BYTES: usize = 8 << 20", "8 MiB"),
    ],
    "crates/oxflow-engine/src/host/recorder.rs": [],  # has one of these
    "crates/oxflow-python/src/job.rs": [],  # holds no messages
    "crates/oxflow-telemetry/src/queue.rs": [
        ("queue_records: 16_384", "16,384 records"),
        ("queue_bytes: 16 << 20", "16 MiB"),
    ],
    "crates/oxflow-telemetry/src/telemetry.rs": [],  # has some of these
}
CODE = (".rs", ".py", ".pyi", ".toml", ".yml", ".in")
# Composed, so that this file names none of them itself.
REGISTRIES = [
    ".".join(parts)
    for parts in (
        ("pypi", "org"), ("pythonhosted", "org"), ("crates", "io"), ("npmjs", "org"), ("deb", "debian", "org"),
        ("maven", "org"), ("proxy", "golang", "org"), ("rust-lang", "org"),
    )
]  # fmt: skip


def files(*suffixes: str) -> list[Path]:
    """What is in the repository, or about to be."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    paths = [ROOT / name for name in listed.stdout.split("\0") if name]
    return [path for path in paths if path.is_file() and (not suffixes or path.suffix in suffixes)]


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def code_of(rust: Path) -> str:
    """Rust source without comments."""
    return re.sub(r"//[^\n]*", "", rust.read_text(encoding="utf-8"))


def layer_of(module: str) -> str:
    """`oxflow.cli.show` is of the layer `cli`."""
    return module.split(".")[1]


def imports_of(tree: ast.AST) -> set[str]:
    """The modules of the package that a piece of code imports."""
    found: set[str] = set()
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                found |= {alias.name for alias in names if alias.name.startswith("oxflow.")}
            case ast.ImportFrom(module="oxflow", names=names):
                found |= {f"oxflow.{alias.name}" for alias in names}
            case ast.ImportFrom(module=str(module)) if module.startswith("oxflow."):
                found.add(module)
            case _:
                pass
    return found


def is_for_types(node: ast.stmt) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"


def manifest(path: Path) -> dict[str, set[str]]:
    """Names of the packages in each dependency table of a Cargo.toml."""
    tables: dict[str, set[str]] = {}
    table = ""
    for line in path.read_text(encoding="utf-8").splitlines():
        if header := re.fullmatch(r"\[(.+)\]", line.strip()):
            table = header[1]
        elif entry := re.match(r"([A-Za-z0-9_-]+)\s*(?:\.workspace)?\s*=", line):
            tables.setdefault(table, set()).add(entry[1])
    return tables


def dependencies(crate: str, *tables: str) -> set[str]:
    found = manifest(ROOT / "crates" / crate / "Cargo.toml")
    # Those of one system, `target.'cfg(unix)'.dependencies`, are dependencies as well.
    wanted = tables or ("dependencies",)
    return {package for table, names in found.items() if table.rpartition(".")[2] in wanted for package in names}


# --- layers ---------------------------------------------------------------------------------------------------------


def test_python_modules_import_downwards_only() -> None:
    for path in sorted(PACKAGE.rglob("*.py")):
        module = "oxflow." + ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
        here = layer_of(module)
        if here == "__init__":
            continue
        assert here in LAYERS, f"{name(path)}: give the new module its place in LAYERS of tests/test_house.py"
        tree = ast.parse(path.read_text(encoding="utf-8"))
        body = [node for node in tree.body if not is_for_types(node)]
        for imported in {layer_of(found) for node in body for found in imports_of(node)} & set(LAYERS):
            downwards = LAYERS.index(imported) <= LAYERS.index(here)
            assert downwards or (here, imported) in UPWARD, f"{name(path)} imports `{imported}`, which is above it"


def test_the_sdk_knows_no_engine() -> None:
    known = dependencies("oxflow") | dependencies("oxflow-macros") | dependencies("oxflow-schema")
    assert known.isdisjoint({"oxflow-engine", "oxflow-python"}), "user crates link the SDK alone: keep it at the bottom"


def test_source_maps_know_neither_streams_nor_python() -> None:
    strangers = {"oxflow", "oxflow-engine", "oxflow-python", "pyo3"}
    assert dependencies("oxflow-sourcemap").isdisjoint(strangers), "source maps are wanted alone, too"


def test_the_engine_knows_no_python() -> None:
    assert "pyo3" not in dependencies("oxflow-engine"), "put what needs PyO3 into crates/oxflow-python"


def test_the_scheduler_knows_no_streams() -> None:
    ours = {found for found in dependencies("oxflow-scheduler") if found.startswith("oxflow")}
    assert not ours, f"the scheduler is used alone, too: keep it free of {ours}"
    assert "pyo3" not in dependencies("oxflow-scheduler"), "put what needs PyO3 into crates/oxflow-python"


def test_the_http_client_knows_neither_streams_nor_scheduling() -> None:
    ours = {found for found in dependencies("oxflow-http") if found.startswith("oxflow")}
    assert not ours, f"several parts fetch: keep the client free of {ours}"
    assert "pyo3" not in dependencies("oxflow-http"), "put what needs PyO3 into crates/oxflow-python"


def test_telemetry_knows_neither_streams_nor_python() -> None:
    ours = {found for found in dependencies("oxflow-telemetry") if found.startswith("oxflow")}
    assert not ours, f"telemetry is used alone, too: keep it free of {ours}"
    assert "pyo3" not in dependencies("oxflow-telemetry"), "put what needs PyO3 into crates/oxflow-python"


def test_what_decides_touches_nothing() -> None:
    machines = [ENGINE / "src" / f"{machine}.rs" for machine in ("commit", "limits", "window", "checkpoint/marks")]
    touch = re.compile(
        r"\bstd::(?:fs|io|net|sync|thread|process|env)\b|\b(?:Instant|SystemTime|static|unsafe)\b|\basync\b"
    )
    busy = {name(path): found for path in machines if (found := touch.findall(code_of(path)))}
    assert not busy, f"the simulator drives these with its own time and threads: let their callers do it: {busy}"


def test_pyo3_is_named_in_two_places() -> None:
    allowed = ("crates/oxflow-python/", "crates/oxflow/src/python/")
    named = [
        name(path)
        for path in files(".rs")
        if name(path).startswith("crates/") and re.search(r"\bpyo3\b", code_of(path))
    ]
    strangers = [path for path in named if not path.startswith(allowed)]
    assert not strangers, f"move the PyO3 code of {strangers} to one of {allowed}"


# --- files ----------------------------------------------------------------------------------------------------------


def test_no_file_is_longer_than_500_lines() -> None:
    long = [name(path) for path in files(".rs", ".py") if len(path.read_bytes().splitlines()) > 500]
    assert not long, f"a file is one thought: split {long}"


def test_no_module_is_called_utils() -> None:
    vague = [name(path) for path in files(".rs", ".py") if re.search(r"\b(utils?|helpers?|common|misc)\b", name(path))]
    assert not vague, f"name {vague} after what is in them"


def test_nothing_is_left_to_do() -> None:
    marks = re.compile(r"\b(" + "|".join(("TO" + "DO", "FIX" + "ME", "X" * 3)) + r")\b")
    left = [name(path) for path in files(*CODE, ".md") if marks.search(path.read_text(encoding="utf-8"))]
    assert not left, f"do it or make it an issue: {left}"


def test_no_file_names_the_host_of_a_registry() -> None:
    naming = [
        f"{name(path)}: {host}"
        for path in files(*CODE, ".md", "")
        if path.suffix != ".lock"
        for host in REGISTRIES
        if re.search(rf"[/@.\w-]*{re.escape(host)}\b", path.read_text(encoding="utf-8"))
    ]
    assert not naming, f"registries are reached by their clients' own settings: {naming}"


def test_features_switch_whole_modules() -> None:
    switch = re.compile(
        r"#\[cfg\((?:not\()?feature[^\n]*\]\n(?!\s*(?:(?:#\[|///)[^\n]*\n\s*)*(?:pub(?:\([a-z]+\))? )?(?:mod \w+(?:;| \{)|use \w+::))|cfg!\(feature"
    )
    mixed = [name(path) for path in files(".rs") if switch.search(code_of(path))]
    assert not mixed, f"put what a feature switches into a module of its own: {mixed}"


def test_unsafe_code_stands_in_few_files() -> None:
    """That each block says why it is sound is a lint of clippy."""
    sources = [path for path in files(".rs") if name(path).startswith("crates/") and "/src/" in name(path)]
    unsafe = {name(path) for path in sources if re.search(r"\bunsafe\b", re.sub(r'"[^"\n]*"', "", code_of(path)))}
    assert sorted(unsafe) == sorted(UNSAFE), (
        "unsafe code belongs to the ABI: say in UNSAFE what the file has to do with it"
    )
    assert 'undocumented_unsafe_blocks = "warn"' in (ROOT / "Cargo.toml").read_text(encoding="utf-8")


# --- the package ----------------------------------------------------------------------------------------------------


def test_importing_starts_no_thread_and_loads_no_third_party_module() -> None:
    program = (
        "import sys; before = set(sys.modules); import oxflow, threading, json;"
        "new = {name.split('.')[0] for name in set(sys.modules) - before};"
        "print(json.dumps([threading.active_count(), sorted(new - set(sys.stdlib_module_names)), len(sys.modules)]))"
    )
    answer = subprocess.run([sys.executable, "-I", "-c", program], capture_output=True, text=True, check=True)
    threads, strangers, modules = json.loads(answer.stdout)
    assert threads == 1, "start threads when a run starts"
    assert strangers == ["oxflow"], f"import {strangers} where they are needed"
    assert modules < 150, f"{modules} modules: import inside functions what only they need"


def test_the_wheel_requires_no_package() -> None:
    required = [line for line in metadata.requires("oxflow") or [] if "extra ==" not in line]
    assert not required, f"make {required} an extra, or do without"


def test_the_wheel_is_typed_and_has_its_licences() -> None:
    packaged = {Path(str(file)).name for file in metadata.files("oxflow") or []}
    assert {"py.typed", "_oxflow.pyi", "LICENSE-MIT", "LICENSE-APACHE"} <= packaged


def test_public_items_have_docstrings() -> None:
    import oxflow

    bare = [item for item in oxflow.__all__ if not item.startswith("__") and not getattr(oxflow, item).__doc__]
    assert not bare, f"say what they are for: {bare}"


def test_one_version() -> None:
    import oxflow

    cargo = re.search(r'^version = "(.+)"', (ROOT / "Cargo.toml").read_text(encoding="utf-8"), re.MULTILINE)
    assert cargo is not None
    assert metadata.version("oxflow") == oxflow.__version__ == cargo[1]


# --- what stands in two places --------------------------------------------------------------------------------------


def test_every_error_code_has_a_page_and_every_page_a_code() -> None:
    from oxflow import _oxflow

    pages = {path.stem for path in (ENGINE / "errors").glob("*.md")}
    assert pages == set(_oxflow.error_codes()), "each code has one page in crates/oxflow-engine/errors"


def test_the_tests_that_the_architecture_names_are_there() -> None:
    page = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`((?:test_)?[a-z]+(?:_[a-z]+){3,})`", page))
    sources = [path for path in files(".rs", ".py") if name(path).startswith(("crates/", "tests/"))]
    text = "\n".join(path.read_text(encoding="utf-8") for path in sources)
    gone = sorted(test for test in named if not re.search(rf"\b(?:fn|def) {test}\b", text))
    assert named, "ARCHITECTURE.md names the test of each invariant"
    assert not gone, f"ARCHITECTURE.md names tests that are not there: {gone}"


def test_the_page_of_dependencies_lists_exactly_the_direct_ones() -> None:
    ours = {
        "oxflow",
        "oxflow-engine",
        "oxflow-http",
        "oxflow-macros",
        "oxflow-protobuf",
        "oxflow-python",
        "oxflow-scheduler",
        "oxflow-schema",
        "oxflow-sourcemap",
        "oxflow-telemetry",
    }
    crates = {path.parent.name for path in ROOT.glob("crates/*/Cargo.toml")}
    wanted = {
        p for crate in crates for p in dependencies(crate, "dependencies", "dev-dependencies", "build-dependencies")
    }
    for requirements in (
        *ROOT.glob("requirements/*.in"),
        *ROOT.glob("requirements/demo.txt"),
        *ROOT.glob("requirements/bench.txt"),
    ):
        lines = requirements.read_text(encoding="utf-8").splitlines()
        wanted |= {re.split(r"[\[=<>;]", line)[0] for line in lines if line and not line.startswith(("-", "#"))}
    listed = re.findall(r"^\| `([^`]+)` \|", (ROOT / "docs/dependencies.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(wanted - ours) == sorted(listed), "docs/dependencies.md has one line a direct dependency, no more"


def keys_of(schema: str) -> set[str]:
    """The keys that a JSON Schema has, at any depth."""
    keys: set[str] = set()

    def note(part: dict[str, Any]) -> dict[str, Any]:
        # A key may itself be called `properties`.
        if part.get("type") == "object":
            keys.update(part.get("properties", ()))
        return part

    json.loads(schema, object_hook=note)
    return keys


def test_the_guide_names_every_key_of_the_configuration() -> None:
    from oxflow import _oxflow

    guide = (ROOT / "docs/guides/configuration.md").read_text(encoding="utf-8")
    keys = keys_of(_oxflow.config_schema())
    assert {"streams", "url", "steps", "on_error", "run", "lanes", "wait_ms"} <= keys
    unnamed = sorted(key for key in keys if not re.search(rf"`[\w.]*\b{key}\b[\w.:]*`", guide))
    assert not unnamed, f"docs/guides/configuration.md says nothing of {unnamed}"


def test_every_queue_has_a_bound_and_is_on_the_page_about_memory() -> None:
    queue = re.compile(r"\b(?:(?:un)?bounded|(?:sync_)?channel)\(|\bBuf(?:Reader|Writer|fered\w*)::")
    sources = [path for path in files(".rs") if name(path).startswith("crates/") and "/src/" in name(path)]
    assert sorted(QUEUES) == sorted(name(path) for path in sources if queue.search(code_of(path))), (
        "bound a queue, and say on docs/concepts/how-it-runs.md what it holds at most"
    )
    page = (ROOT / "docs/concepts/how-it-runs.md").read_text(encoding="utf-8")
    for path, bounds in QUEUES.items():
        for bound, said in bounds:
            assert bound in code_of(ROOT / path), f"say on docs/concepts/how-it-runs.md what became of `{bound}`"
            assert said in page


def test_links_of_the_documentation_lead_to_files_of_the_repository() -> None:
    dead = [
        f"{name(page)}: {link}"
        for page in files(".md")
        if name(page).startswith("docs/") or name(page) == "README.md"
        for link in re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8"))
        if "://" not in link and not (page.parent / link).exists()
    ]
    assert not dead, f"who reads them in the repository finds nothing behind {dead}"


def test_the_published_schema_is_that_of_the_command() -> None:
    command = [sys.executable, "-m", "oxflow", "config-schema"]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    published = (ROOT / "docs/reference/config.schema.json").read_text(encoding="utf-8")
    assert json.loads(published) == json.loads(shown), "run `make schema` and commit docs/reference/config.schema.json"


def test_the_guide_names_every_command() -> None:
    shown = subprocess.run(
        [sys.executable, "-m", "oxflow", "--help"], capture_output=True, text=True, check=True
    ).stdout
    commands = re.findall(r"^    ([a-z-]+)(?:  |$)", shown, re.MULTILINE)
    assert commands
    reference = (ROOT / "docs/reference/cli.md").read_text(encoding="utf-8")
    unnamed = [command for command in commands if f"`oxflow {command}" not in reference]
    assert not unnamed, f"docs/reference/cli.md says nothing of {unnamed}"


# --- what a user compiles -------------------------------------------------------------------------------------------


def test_a_users_crate_compiles_at_most_60_packages() -> None:
    steps = ROOT / "examples/metrics/steps/Cargo.toml"
    command = ["cargo", "tree", "--locked", "-e", "normal,build", "--prefix", "none", "--format", "{p}"]
    answer = subprocess.run([*command, "--manifest-path", steps], capture_output=True, text=True, check=True)
    packages = {line.split(" (")[0] for line in answer.stdout.splitlines() if line}
    assert len(packages) <= 60, f"{len(packages)} packages: a user's step must stay quick to build"
