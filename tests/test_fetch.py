"""Many requests at a time: each with its own outcome, in order, bounded, and without the interpreter."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry import trace
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, TraceState

from oxflow import FetchError, telemetry
from oxflow.gil import assert_releases_gil
from oxflow.scheduler import Fetched, Request, fetch_all, fetch_all_async
from oxflow.telemetry import Config, TraceSink, start_span

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SERVER = Path(__file__).parent / "http_server.py"
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    command = [sys.executable, str(SERVER)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        process.communicate()


def in_a_loop(requests: Any, **settings: Any) -> list[Fetched]:
    return asyncio.run(fetch_all_async(requests, **settings))


@pytest.fixture(params=[fetch_all, in_a_loop], ids=["waits", "awaits"])
def fetch(request: pytest.FixtureRequest) -> Callable[..., list[Fetched]]:
    way: Callable[..., list[Fetched]] = request.param
    return way


def test_each_request_has_its_own_outcome_in_the_order_of_requests(
    server: str, fetch: Callable[..., list[Fetched]]
) -> None:
    urls = [f"{server}/echo?{index}" for index in range(1000)]
    urls[3], urls[500], urls[999] = f"{server}/status/404", "http://127.0.0.1:1/", "no url"
    results = fetch(urls, concurrency=20)
    assert [result.index for result in results] == list(range(1000))
    assert all(result.json()["path"] == f"/echo?{result.index}" for result in results if result.ok)
    assert [result.index for result in results if not result.ok] == [3, 500, 999]
    found, refused, invalid = results[3], results[500], results[999]
    assert (found.status, found.error, found.body) == (404, None, b"")
    assert (refused.status, refused.body, refused.headers) == (None, b"", {})
    assert [error.kind for error in (refused.error, invalid.error) if error] == ["connect", "invalid"]
    assert "`127.0.0.1:1`" in str(refused.error)
    assert "has no `http://`" in str(invalid.error)
    assert (refused.attempts, invalid.attempts) == (1, 0)


def test_no_requests_have_no_results(fetch: Callable[..., list[Fetched]]) -> None:
    assert fetch([]) == []


def test_a_request_says_method_headers_and_body(server: str) -> None:
    results = fetch_all(
        [
            Request(f"{server}/echo", method="POST", headers={"X-Mine": "7"}, body="text"),
            Request(f"{server}/echo", method="PUT", json={"a": [1]}),
            {"url": f"{server}/echo", "method": "DELETE", "body": b"bytes"},
        ]
    )
    told = [result.raise_for_status().json() for result in results]
    assert [(one["method"], one["body"]) for one in told] == [
        ("POST", "text"),
        ("PUT", '{"a": [1]}'),
        ("DELETE", "bytes"),
    ]
    assert told[0]["headers"]["x-mine"] == "7"
    assert told[1]["headers"]["content-type"] == "application/json"
    assert results[0].headers["set-cookie"] == "a=1, b=2"


def test_a_redirect_is_followed(server: str) -> None:
    (result,) = fetch_all([f"{server}/to"])
    assert (result.status, result.url) == (200, f"{server}/echo")


def test_no_more_are_under_way_than_may_be(server: str, fetch: Callable[..., list[Fetched]]) -> None:
    before = int(fetch([f"{server}/most"])[0].body)
    fetch([f"{server}/slow/20"] * 60, concurrency=30)
    assert int(fetch([f"{server}/most"])[0].body) == max(before, 30)


def test_results_are_handed_over_while_others_are_under_way(server: str, fetch: Callable[..., list[Fetched]]) -> None:
    seen: list[int] = []
    gate = fetch.__name__

    def note(result: Fetched) -> None:
        seen.append(result.index)
        if len(seen) == 2:
            # Only now the first one is answered.
            fetch_all([f"{server}/open/{gate}"])

    results = fetch([f"{server}/gate/{gate}", f"{server}/echo", f"{server}/echo"], on_result=note)
    assert (sorted(seen[:2]), seen[2:]) == ([1, 2], [0])
    assert [(result.index, result.ok) for result in results] == [(0, True), (1, True), (2, True)]


def test_an_iterator_is_read_as_there_is_room_and_nothing_need_be_kept(
    server: str, fetch: Callable[..., list[Fetched]]
) -> None:
    read: list[int] = []
    ahead: list[int] = []

    def urls() -> Iterator[str]:
        for index in range(2000):
            read.append(index)
            yield f"{server}/echo"

    def note(_: Fetched) -> None:
        ahead.append(len(read) - len(ahead))

    assert fetch(urls(), concurrency=10, on_result=note, keep=False) == []
    assert len(ahead) == 2000
    assert max(ahead) <= 2 * 10 + 256 + 1


def test_what_on_result_raises_gives_up_the_rest(server: str, fetch: Callable[..., list[Fetched]]) -> None:
    def fail(_: Fetched) -> None:
        raise KeyError("mine")

    begun = time.perf_counter()
    with pytest.raises(KeyError, match="mine"):
        fetch([f"{server}/echo", f"{server}/slow/20000"], on_result=fail)
    assert time.perf_counter() - begun < 10


def test_what_an_iterator_raises_is_raised(server: str, fetch: Callable[..., list[Fetched]]) -> None:
    def urls() -> Iterator[str]:
        yield f"{server}/slow/20000"
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        fetch(urls())
    with pytest.raises(TypeError, match="a request is a URL"):
        fetch([7])


def test_what_fails_is_repeated_unless_it_may_have_been_done(server: str) -> None:
    read, post = fetch_all([f"{server}/fails/2/read", {"url": f"{server}/fails/2/post", "method": "POST"}], retries=5)
    assert (read.status, read.attempts, post.status, post.attempts) == (200, 3, 503, 1)
    headers = {"Idempotency-Key": "7"}
    (safe,) = fetch_all([{"url": f"{server}/fails/2/safe", "method": "POST", "headers": headers}], retries=5)
    assert (safe.status, safe.attempts) == (200, 3)


def test_limits_are_errors_of_one_request(server: str) -> None:
    urls = [f"{server}/slow/5000", f"{server}/large/2000", f"{server}/echo"]
    late, large, well = fetch_all(urls, timeout=0.3, max_body_bytes=1999)
    assert [result.error and result.error.kind for result in (late, large, well)] == ["timeout", "too large", None]
    with pytest.raises(FetchError, match=r"GET http://.*/slow/5000: no whole response within 0.3 s"):
        late.raise_for_status()
    with pytest.raises(FetchError, match="the response has status 404") as caught:
        fetch_all([f"{server}/status/404"])[0].raise_for_status()
    assert caught.value.kind == "status"


@pytest.mark.parametrize(
    "settings", [{"concurrency": 0}, {"timeout": -1.0}, {"timeout": float("nan")}, {"retries": -1}, {"backoff": 1e12}]
)
def test_impossible_settings_are_errors(settings: dict[str, Any], fetch: Callable[..., list[Fetched]]) -> None:
    with pytest.raises(FetchError, match=f"`{next(iter(settings))}`"):
        fetch([], **settings)


def test_secrets_do_not_show(server: str) -> None:
    request = Request(f"{server}/status/500?token=secret", headers={"authorization": "secret"}, body="secret")
    (result,) = fetch_all([request])
    (refused,) = fetch_all(["http://127.0.0.1:1/?token=secret"])
    (invalid,) = fetch_all([Request(server, headers={"authorization": "sec\nret"})])
    (named,) = fetch_all(["http://me:secret@127.0.0.1:1/"])
    (nowhere,) = fetch_all(["http://127.0.0.1:99999/?token=secret"])
    shown = [repr(request), repr(result), repr(refused), str(refused.error), str(invalid.error)]
    shown += [repr(Request("http://me:secret@host/x")), repr(named), str(named.error), str(nowhere.error)]
    assert not any("sec" in text.lower() for text in shown), shown


def test_a_trace_goes_on_in_what_is_called(server: str, fetch: Callable[..., list[Fetched]]) -> None:
    def sent(requests: list[Any], **settings: Any) -> list[tuple[str | None, str | None]]:
        headers = [result.json()["headers"] for result in fetch(requests, **settings)]
        return [(one.get("traceparent"), one.get("tracestate")) for one in headers]

    own = TRACE.replace("b7", "c8")
    requests = [f"{server}/echo", Request(f"{server}/echo", headers={"Traceparent": own})]
    assert sent(requests) == [(None, None), (own, None)]
    assert sent(requests, traceparent=TRACE) == [(TRACE, None), (own, None)]
    context = SpanContext(
        int(TRACE.split("-")[1], 16), int(TRACE.split("-")[2], 16), is_remote=False,
        trace_flags=TraceFlags(1), trace_state=TraceState([("vendor", "x")]),
    )  # fmt: skip
    with trace.use_span(NonRecordingSpan(context)):
        assert sent(requests[:1]) == [(TRACE, "vendor=x")]
    telemetry.init(Config("fetch", sinks=[TraceSink("http://127.0.0.1:9")]))
    with start_span("ours") as span:
        assert sent(requests[:1]) == [(span.traceparent(), None)]
    telemetry.shutdown(0)


def test_it_does_not_hold_the_interpreter(server: str, fetch: Callable[..., list[Fetched]]) -> None:
    # A lock that is held while it waits stalls others for the whole call, a machine that runs other tests for less.
    requests = [f"{server}/slow/1500", *[f"{server}/echo"] * 2000]
    assert_releases_gil(lambda: fetch(requests), max_stall_ms=100, min_call_ms=1400)


def test_other_coroutines_run_meanwhile(server: str) -> None:
    async def main() -> float:
        longest = 0.0

        async def tick() -> None:
            nonlocal longest
            while True:
                begun = time.perf_counter()
                await asyncio.sleep(0.005)
                longest = max(longest, time.perf_counter() - begun)

        ticking = asyncio.create_task(tick())
        await fetch_all_async([f"{server}/slow/2000"] * 3)
        ticking.cancel()
        return longest

    # It would be two seconds if the call waited in the loop.
    assert asyncio.run(main()) < 1


def test_what_is_done_before_the_loop_first_waits_ends_the_call() -> None:
    # What is no URL is done at once: in about half of the calls before the loop has come to wait.
    for _ in range(30):
        results = asyncio.run(asyncio.wait_for(fetch_all_async(["no url"] * 3), 10))
        assert [result.index for result in results] == [0, 1, 2]


def test_who_is_cancelled_gives_up_the_rest(server: str) -> None:
    async def main() -> None:
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(fetch_all_async([f"{server}/slow/20000"]), 0.2)

    begun = time.perf_counter()
    asyncio.run(main())
    assert time.perf_counter() - begun < 10


def test_ctrl_c_ends_a_call_that_waits(server: str) -> None:
    under_way = threading.Event()

    def asked() -> Iterator[str]:
        yield f"{server}/slow/20000"
        under_way.set()

    def interrupt() -> None:
        under_way.wait()
        signal.raise_signal(signal.SIGINT)

    threading.Thread(target=interrupt, daemon=True).start()
    begun = time.perf_counter()
    # Who runs the tests in the background may have it ignored.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            fetch_all(asked())
    finally:
        signal.signal(signal.SIGINT, before)
    assert time.perf_counter() - begun < 10


def test_several_threads_call_at_once(server: str) -> None:
    results: list[list[Fetched]] = []
    threads = [threading.Thread(target=lambda: results.append(fetch_all([f"{server}/echo"] * 200))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [sum(result.ok for result in one) for one in results] == [200] * 8


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_child_of_a_fork_calls_with_a_client_of_its_own(server: str) -> None:
    assert fetch_all([f"{server}/echo"])[0].ok

    def note(_: Fetched) -> None:
        # In the midst of a call of the parent.
        child = os.fork()
        if not child:
            os._exit(0 if all(result.ok for result in fetch_all([f"{server}/echo"] * 50)) else 1)
        exits.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))

    exits: list[int] = []
    assert all(result.ok for result in fetch_all([f"{server}/echo"] * 3, on_result=note))
    assert exits == [0, 0, 0]


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_call_of_the_parent_is_an_error_in_a_child(server: str) -> None:
    def requests() -> Iterator[str]:
        yield f"{server}/echo"
        child = os.fork()
        if not child:
            in_child.append(True)
            return
        exits.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))

    in_child: list[bool] = []
    exits: list[int] = []
    try:
        results = fetch_all(requests())
    except FetchError as error:
        os._exit(7 if in_child and error.kind == "forked" else 1)
    if in_child:
        os._exit(2)
    assert results[0].ok
    assert exits == [7]
