"""A folder of index files that can fill itself over HTTP."""

from __future__ import annotations

import hashlib
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urljoin

from oxflow import _oxflow
from oxflow._oxflow import SourceMap
from oxflow.sourcemap._reference import find_reference

if TYPE_CHECKING:
    from os import PathLike
    from typing import SupportsIndex

    from typing_extensions import Self

    from oxflow._oxflow import Cache


class SymbolCache(_oxflow.SymbolCache):
    """Index files of source maps by key, the least recently used of which are removed.

    A map that is not there is built once, by whichever thread or process comes first, while the others wait for it. Processes may
    use one folder, which is made if it isn't there, and may be killed at any time. Nothing else may be kept in it.

    Args:
        folder: where the files are.
        max_bytes: how many bytes of index files are kept, at least 1. One file may be larger, and is kept until the next comes.

    Raises:
        ValueError: `max_bytes` is less than 1.
        OSError: the folder can't be made.
    """

    if TYPE_CHECKING:
        # The stub's gives one of its own class.
        def __new__(cls, folder: str | PathLike[str], max_bytes: SupportsIndex) -> Self: ...

    def fetch(
        self,
        url: str,
        *,
        key: str | None = None,
        max_bytes: int = 64 << 20,
        max_redirects: int = 5,
        timeout_s: float = 30.0,
        public: bool = True,
    ) -> Cache | None:
        """Open the index for a script that lies behind a URL; get its map over HTTP if the index is not there.

        The script itself is asked for each time: it says where its map is, and its index is known by its bytes, so that no script can
        take the place of another one.

        Args:
            url: where the script is; `http` or `https`.
            key: that of the index, as for `get`: a debug id, for one, by which `Symbolicate` then finds it. The bytes of the script
                if not given.
            max_bytes: of the script, and of its map, as they come and unpacked.
            max_redirects: how many are followed, for each of both.
            timeout_s: for each of both, from the connection to the last byte.
            public: ask no address of this machine or of a private network, wherever the names in URLs lead. Whoever wrote the script
                chooses where its map is, so say `False` only for scripts of your own.

        Returns:
            The index; `None` if the script names no map.

        Raises:
            ValueError: a URL is none of `http` or `https`.
            LimitExceeded: there were more bytes or redirects.
            TimeoutError: it took longer.
            OSError: a host doesn't answer, or not with a document.
            SourceMapError: what is there is no source map.
        """

        def get(url: str) -> tuple[dict[str, str], bytes, str]:
            status, headers, body, last = _oxflow.fetch_document(url, max_bytes, max_redirects, timeout_s, public)
            if status != HTTPStatus.OK:
                raise OSError(f"`{url}` answers with status {status}")
            return {name.lower(): value for name, value in headers}, body, last

        headers, script, base = get(url)
        reference = find_reference(script, headers)
        if reference is None:
            return None

        def load() -> SourceMap:
            if reference.is_data:
                return SourceMap.from_data_url(reference.url, max_bytes=max_bytes)
            headers, body, _ = get(urljoin(base, reference.url))
            return SourceMap.from_bytes(body, encoding=headers.get("content-encoding"), max_bytes=max_bytes)

        return self.get(key or hashlib.sha256(script).hexdigest(), load)
