"""Which map generated code refers to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from oxflow import _oxflow

if TYPE_CHECKING:
    import mmap
    from collections.abc import Mapping


@dataclass(frozen=True)
class Reference:
    """Where the map of generated code is.

    Attributes:
        url: its URL: absolute, relative to that of the code, or a data URL, which `SourceMap.from_data_url` reads.
        debug_id: the id that code and map share, if the code has one.
    """

    url: str
    debug_id: str | None = None

    @property
    def is_data(self) -> bool:
        """Whether the URL holds the map itself."""
        return self.url.startswith("data:")


def find_reference(
    code: bytes | bytearray | memoryview | mmap.mmap, headers: Mapping[str, str] | None = None
) -> Reference | None:
    """Find where the map of generated JavaScript or CSS is.

    Args:
        code: the generated code. Counts is the last comment `//# sourceMappingURL=` (in CSS `/*# ... */`) behind which there are only
            comments and white space, as in the standard.
        headers: those of the HTTP answer that the code came in; `SourceMap`, or `X-SourceMap`, goes before a comment.

    Returns:
        The reference, or `None` if there is none.
    """
    found = _oxflow.map_reference(code)
    by_name = {name.lower(): value for name, value in (headers or {}).items()}
    url = by_name.get("sourcemap") or by_name.get("x-sourcemap")
    if url:
        return Reference(url, found[1] if found else None)
    return Reference(*found) if found else None
