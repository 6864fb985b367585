"""Writes messages of topic `ingest-metrics` as JSON Lines: `messages.py EXAMPLES COUNT FILE`.

EXAMPLES is the folder of example messages in the PyPI package `sentry-kafka-schemas`. They are repeated in turn; the
organisation, project and time of each copy vary by its number, so the same call always writes the same bytes.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

START = 1_700_000_000


def vary(example: dict[str, Any], number: int) -> dict[str, Any]:
    """Copy an example with the identity of message `number`."""
    project = number * 7919 % 997
    return example | {"org_id": 1 + project % 61, "project_id": 1 + project, "timestamp": START + number // 50}


def main(folder: str, count: str, file: str) -> None:
    """Write the messages, unless the file is there already."""
    target = Path(file)
    if target.exists():
        return
    examples = [json.loads(path.read_bytes()) for path in sorted(Path(folder).glob("*.json"))]
    if not examples:
        sys.exit(f"no example messages in {folder}")
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_suffix(".part")
    with part.open("w", encoding="utf-8") as out:
        for number in range(int(count)):
            message = vary(examples[number % len(examples)], number)
            out.write(json.dumps(message, separators=(",", ":"), ensure_ascii=False) + "\n")
    part.rename(target)


if __name__ == "__main__":
    main(*sys.argv[1:])
