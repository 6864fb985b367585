"""Makes the lock file of new projects: what the repository pins, cut down to what a project compiles.

Cargo does the cutting: it keeps from a lock file that is larger than needed what it needs.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

from oxflow.sdk.new import NAME, create

ROOT = Path(__file__).parent.parent
SDK = ROOT / "python/oxflow/sdk"


def main() -> None:
    """Write the lock files."""
    write(SDK / "template/Cargo.lock", is_pure=False)
    write(SDK / "pure_template/Cargo.lock", is_pure=True)


def write(file: Path, *, is_pure: bool) -> None:
    """Write the lock file of one template."""
    with tempfile.TemporaryDirectory() as folder:
        project = create(NAME, Path(folder) / NAME, is_pure=is_pure)
        lock = project.folder / "Cargo.lock"
        shutil.copy(ROOT / "Cargo.lock", lock)
        command = ["cargo", "metadata", "--quiet", "--offline", "--format-version", "1"]
        subprocess.run(command, cwd=project.folder, check=True, stdout=subprocess.DEVNULL)
        shutil.copy(lock, file)


if __name__ == "__main__":
    main()
