"""The calls around a round: many requests at a time, each with an outcome of its own."""

from __future__ import annotations

import sys
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from oxflow import _oxflow
from oxflow._oxflow import Fetched, Request
from oxflow.errors import Diagnostic, FetchError
from oxflow.telemetry import inject_headers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

__all__ = ["Fetched", "Request", "fetch_all", "fetch_all_async"]

_FOREVER_S = 3600.0
_LONGEST_S = 1e9
# Beyond these a number is as good as without end.
_MOST_AT_ONCE = 10_000
_MOST_RETRIES = 1000


def fetch_all(
    requests: Iterable[Request | str | Mapping[str, Any]],
    *,
    concurrency: int = 100,
    timeout: float = 30.0,
    retries: int = 0,
    on_result: Callable[[Fetched], object] | None = None,
    keep: bool = True,
    backoff: float = 0.2,
    max_body_bytes: int = 64 << 20,
    traceparent: str | None = None,
) -> list[Fetched]:
    """Do requests, so many at a time, and wait until all are done. The interpreter is let go meanwhile.

    A request that fails is a result with an `error`, and never stops the others. Connections are kept, for later calls too.

    Args:
        requests: URLs, `Request`s, or dictionaries of what a `Request` takes. An iterator is read as there is room: up to
            twice `concurrency` and 256 more than were handed over.
        concurrency: how many are under way at most.
        timeout: seconds for one attempt, from the connection to the last byte.
        retries: how often one is repeated that had no response, or a status of 429, 502, 503 or 504. A `POST` or `PATCH` only if it
            was not sent or was refused with 429, unless it has a header `idempotency-key`.
        on_result: called here with each result, in the order in which they are done, batch by batch. What it raises gives up
            what is not done.
        keep: whether to return the results. If not, memory does not grow with their number.
        backoff: seconds before the first repetition, at most; each later one waits twice as long, up to a minute. `retry-after`
            goes before it.
        max_body_bytes: a larger body is an error.
        traceparent: this header for each request that has none. If not given it is that of the current span, with its
            `tracestate` and baggage, of `oxflow.telemetry` or of OpenTelemetry where that API is loaded.

    Returns:
        A result for each request, in their order.

    Raises:
        FetchError: a setting is impossible.
        TypeError: something is no request; those before it may have been sent.
    """
    fetching = _start(
        requests,
        concurrency=concurrency,
        timeout=timeout,
        retries=retries,
        backoff=backoff,
        max_body_bytes=max_body_bytes,
        traceparent=traceparent,
        wakes=False,
    )
    kept: list[Fetched] = []
    try:
        while (batch := fetching.step(_FOREVER_S)) is not None:
            _hand_over(batch, on_result, kept if keep else None)
    finally:
        fetching.cancel()
    return sorted(kept, key=attrgetter("index"))


async def fetch_all_async(
    requests: Iterable[Request | str | Mapping[str, Any]],
    *,
    concurrency: int = 100,
    timeout: float = 30.0,
    retries: int = 0,
    on_result: Callable[[Fetched], object] | None = None,
    keep: bool = True,
    backoff: float = 0.2,
    max_body_bytes: int = 64 << 20,
    traceparent: str | None = None,
) -> list[Fetched]:
    """Do what `fetch_all` does, without blocking the event loop of `asyncio`.

    Who is cancelled gives up what is not done. `requests` and `on_result` are used on the event loop's thread. The loop must
    be able to watch a descriptor, as all but the proactor of Windows are.
    """
    import asyncio

    loop, ready = asyncio.get_running_loop(), asyncio.Event()
    fetching = _start(
        requests,
        concurrency=concurrency,
        timeout=timeout,
        retries=retries,
        backoff=backoff,
        max_body_bytes=max_body_bytes,
        traceparent=traceparent,
        wakes=True,
    )
    kept: list[Fetched] = []
    descriptor = fetching.fileno()
    loop.add_reader(descriptor, ready.set)
    try:
        while (batch := fetching.step(0.0)) is not None:
            if batch:
                _hand_over(batch, on_result, kept if keep else None)
                # It may have been the last, after which nothing more is told.
                await asyncio.sleep(0)
            else:
                ready.clear()
                await ready.wait()
    finally:
        loop.remove_reader(descriptor)
        fetching.cancel()
    return sorted(kept, key=attrgetter("index"))


def _start(
    requests: Iterable[Any],
    *,
    concurrency: int,
    timeout: float,
    retries: int,
    backoff: float,
    max_body_bytes: int,
    traceparent: str | None,
    wakes: bool,
) -> _oxflow.Fetching:
    if concurrency < 1:
        raise _setting("`concurrency` is less than 1")
    for name, seconds in (("timeout", timeout), ("backoff", backoff)):
        if not 0 <= seconds <= _LONGEST_S:
            raise _setting(f"`{name}` is no number of seconds from 0 to a billion")
    if retries < 0 or max_body_bytes < 0:
        raise _setting("`retries` and `max_body_bytes` can't be negative")
    return _oxflow.Fetching(
        requests,
        concurrency=min(concurrency, _MOST_AT_ONCE),
        timeout_s=timeout,
        retries=min(retries, _MOST_RETRIES),
        backoff_s=backoff,
        body_bytes=min(max_body_bytes, sys.maxsize),
        headers=_trace_headers(traceparent),
        wakes=wakes,
    )


def _hand_over(batch: list[Fetched], on_result: Callable[[Fetched], object] | None, kept: list[Fetched] | None) -> None:
    if kept is not None:
        kept.extend(batch)
    if on_result is not None:
        for fetched in batch:
            on_result(fetched)


def _trace_headers(traceparent: str | None) -> list[tuple[str, str]]:
    """Those of a given context, or of the current span and its baggage, whether of `oxflow.telemetry` or of OpenTelemetry."""
    if traceparent is not None:
        return [("traceparent", traceparent)]
    headers: list[tuple[str, str]] = []
    inject_headers(headers)
    return headers


def _setting(text: str) -> FetchError:
    return FetchError(Diagnostic("OXF1101", text, fix="correct the arguments of the call"))
