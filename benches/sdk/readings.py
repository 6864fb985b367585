"""The messages of these benchmarks: 6 fields with a map of 5 entries, 270 B of JSON."""

from __future__ import annotations

import json
from typing import Any


def reading(number: int) -> dict[str, Any]:
    """A message, as it came out of a parser: no two share a string but the keys."""
    tags = {"environment": f"production-{number}", "release": f"frontend@{number}.4.1", "session.status": "crashed"}
    tags |= {"transaction": f"/api/0/projects/{number}/", "sdk": "sentry.javascript.react"}
    fields: dict[str, Any] = {"org_id": number, "project_id": 3, "name": "d:transactions/duration@millisecond"}
    fields |= {"timestamp": 1_795_000_000 + number, "value": number * 1.5 + 0.25, "tags": tags}
    parsed: dict[str, Any] = json.loads(json.dumps(fields))
    return parsed
