"""Makes the input of the benchmark: JSON Lines of events, the same on every machine."""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WORDS = (
    "order",
    "cart",
    "checkout",
    "délai",
    "página",
    "search",
    "result",
    "title",
    "filter",
    "price",
    "button",
    "panel",
    "über",
    "header",
    "link",
)
TAGS = ("browser", "country", "page", "plan")


def write(path: Path, lines: int, *, large: bool) -> None:
    """Write events, unless they are there already.

    Args:
        path: the file; its name tells what is in it.
        lines: number of events.
        large: about 1 KB a line instead of about 200 B.
    """
    if path.exists():
        return
    part = path.with_suffix(".part")
    with part.open("w", encoding="utf-8") as file:
        for event in _events(lines, large=large):
            file.write(json.dumps(event, ensure_ascii=False, separators=(",", ":")) + "\n")
    part.rename(path)


def _events(lines: int, *, large: bool) -> Iterator[dict[str, Any]]:
    chosen = random.Random(2026)  # noqa: S311  # the same events each time
    words, parts, tags = (70, 40, 4) if large else (4, 2, 2)
    for number in range(lines):
        yield {
            "id": f"e{number:08}",
            # Half of the events are active; no pattern that a processor could learn.
            "active": chosen.choice((True, False)),
            "user": chosen.randrange(1 << 32),
            "at": 1_795_000_000_000 + number * 7,
            "price": chosen.randrange(1, 100_000),
            "count": chosen.randrange(1, 9),
            "score": round(chosen.random(), 6),
            "text": " ".join(chosen.choices(WORDS, k=words)) + ('\n"quoted"' if number % 16 == 0 else ""),
            "parts": [chosen.randrange(1000) for _ in range(parts)],
            "tags": {name: f"{chosen.choice(WORDS)}-{chosen.randrange(100)}" for name in TAGS[:tags]},
        }
