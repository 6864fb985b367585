"""What the providers have in common: the one telemetry of the process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oxflow.telemetry import _life

if TYPE_CHECKING:
    from oxflow.telemetry.config import Config

__all__ = ["Shared"]

_open: set[Shared] = set()


class Shared:
    """A share in the telemetry of the process, which ends with the last of them.

    Args:
        config: what is recorded and where it goes; the same for all providers. Without it the telemetry that has begun is
            joined, or if there is none, begun as the variables of OpenTelemetry say.

    Raises:
        ValueError: the telemetry of this process has begun with another configuration, or something can't be used.
    """

    def __init__(self, config: Config | None = None) -> None:
        _life.join(config)
        _open.add(self)

    def force_flush(self, timeout_millis: float = 30_000) -> bool:
        """Send all that there is now, of whatever provider; say whether all of it was delivered."""
        return _life.force_flush(timeout_millis / 1000)

    def shutdown(self, timeout_millis: float = 30_000) -> None:
        """Send all that there is. What this provider records later is taken until the last provider has ended."""
        _open.discard(self)
        if _open:
            _life.force_flush(timeout_millis / 1000)
        else:
            _life.shutdown(timeout_millis / 1000)
