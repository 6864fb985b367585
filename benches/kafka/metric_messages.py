"""The input: messages of Sentry's topic `ingest-metrics`, half of them counters, 230 B in the mean; the same on every machine."""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

RELEASES = ("sentry-test@1.0.0", "backend@2026.11.1", "frontend@f3a2c81")
STATES = ("init", "exited", "errored", "crashed")


def messages(count: int) -> Iterator[bytes]:
    """Make `count` messages; the first is a counter."""
    chosen = random.Random(2026)  # noqa: S311  # the same messages each time
    for number in range(count):
        # No pattern that a processor could learn.
        is_counter = number == 0 or chosen.choice((True, False))
        tags = {
            "sdk": f"raven-node/2.6.{chosen.randrange(9)}",
            "environment": "production",
            "release": chosen.choice(RELEASES),
        }
        metric: dict[str, Any] = {
            "org_id": chosen.randrange(1, 500),
            "project_id": chosen.randrange(1, 5000),
            "name": "c:sessions/session@none" if is_counter else "d:transactions/duration@millisecond",
            "tags": {**tags, "session.status": chosen.choice(STATES)} if is_counter else tags,
            "timestamp": 1_795_000_000 + number // 50,
            "retention_days": 90,
            "type": "c" if is_counter else "d",
            "value": chosen.randrange(1, 9) if is_counter else [chosen.randrange(1, 9000) for _ in range(3)],
        }
        yield json.dumps(metric, separators=(",", ":")).encode()
