"""Prints the oldest and the newest Python at hand that oxflow supports: `3.10 /path` a line, once if there is only one.

Looks on the path and among the versions of pyenv, whose shims name Pythons that they then refuse to start.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

OLDEST = (3, 10)
PROBE = "import sys, venv, ensurepip; print(sys.version_info[0], sys.version_info[1], sys.executable)"


def candidates() -> list[Path]:
    """Files that may be a Python, in no order."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    folders = [Path(folder) for folder in os.get_exec_path() if "shims" not in folder]
    return [
        Path(sys.executable),
        *pyenv.glob("versions/3.*/bin/python3"),
        *(python for folder in folders for python in folder.glob("python3*") if "-" not in python.name),
    ]


def version(python: Path) -> tuple[int, int] | None:
    """What a candidate answers; `None` if it can't make a virtual environment."""
    answer = subprocess.run([python, "-c", PROBE], capture_output=True, text=True, check=False)
    words = answer.stdout.split()
    return (int(words[0]), int(words[1])) if answer.returncode == 0 else None


def main() -> None:
    """Print the oldest and the newest."""
    found = {version(python): python for python in candidates() if os.access(python, os.X_OK)}
    good = sorted((number, python) for number, python in found.items() if number is not None and number >= OLDEST)
    if not good:
        sys.exit("no Python >= 3.10 with venv found")
    for number, python in dict.fromkeys((good[0], good[-1])):
        print(f"{number[0]}.{number[1]} {python}")


if __name__ == "__main__":
    main()
