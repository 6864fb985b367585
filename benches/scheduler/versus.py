"""The scheduler against plain Python, NumPy and a naive loop in Rust, on five kinds of data, in one run.

Times are those of the thread that calls (`time.thread_time`), conversion from objects included; ratios are medians over turns in which
one contestant follows the other. What would take minutes is measured on a part and extrapolated by the number of pairs, which is
known exactly; such figures are marked `~`. Answers must be equal.
"""

from __future__ import annotations

import argparse
import statistics
import threading
import time
from functools import partial
from typing import TYPE_CHECKING, Any

import naive_matcher
from loops import RESOURCES, THRESHOLD, WEIGHTS, Vectors, loop

from oxflow.scheduler import Matcher, Policy, generate, match_tasks_to_offers

if TYPE_CHECKING:
    from collections.abc import Callable

    from oxflow.scheduler import Offer, Task
    from oxflow.scheduler.samples import Kind

KINDS: tuple[Kind, ...] = ("plenty", "scarce", "same", "rules", "uniform")


def clocked(call: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds of this thread, and the result."""
    begun = time.thread_time()
    result = call()
    return time.thread_time() - begun, result


def ours(tasks: list[Task], offers: list[Offer]) -> dict[str, str]:
    """The scheduler."""
    return match_tasks_to_offers(tasks, offers, resources=RESOURCES, weights=WEIGHTS, threshold=THRESHOLD)


def naive(tasks: list[Task], offers: list[Offer], threads: int = 1, *, hold: bool = False) -> dict[str, str]:
    """The loop in Rust."""
    weights = [WEIGHTS[name] for name in RESOURCES]
    matched: dict[str, str] = naive_matcher.match_tasks_to_offers(tasks, offers, weights, THRESHOLD, threads, hold)
    return matched


def pairs_of(tasks: list[Task], offers: list[Offer], answers: dict[str, str], first: int) -> int:
    """How many offers the first tasks look at in the plain loop."""
    placed = set(answers.values())
    left, pairs = len(offers), 0
    for task in tasks[:first]:
        pairs += left
        left -= task.name in placed
    return pairs


def python(tasks: list[Task], offers: list[Offer], answers: dict[str, str], seconds: float) -> float:
    """Seconds of the plain loop, extrapolated from as many tasks as fit into some seconds."""
    plain, line, count = loop("single"), list(offers), 0
    result: dict[str, str] = {}
    begun = time.thread_time()
    while count < len(tasks) and time.thread_time() - begun < seconds:
        best = plain.best(tasks[count], line)
        if best is not None:
            line[best], line[-1] = line[-1], line[best]
            result[line.pop().name] = tasks[count].name
        count += 1
    took = time.thread_time() - begun
    assert list(result.items()) == list(answers.items())[: len(result)], "the plain loop answers otherwise"  # noqa: S101
    return took * pairs_of(tasks, offers, answers, len(tasks)) / pairs_of(tasks, offers, answers, count)


def numpy(tasks: list[Task], offers: list[Offer], answers: dict[str, str], seconds: float) -> float:
    """The same for NumPy, whose time by pair is not the same at the end: so a part is taken from the whole range."""
    vectors, result, count = Vectors(offers), {}, 0
    begun = time.thread_time()
    for count, task in enumerate(tasks, 1):  # noqa: B007  # read after the loop
        offer = vectors.place(task)
        if offer is not None:
            result[offers[offer].name] = task.name
        if time.thread_time() - begun > seconds:
            break
    took = time.thread_time() - begun
    assert list(result.items()) == list(answers.items())[: len(result)], "NumPy answers otherwise"  # noqa: S101
    return took * pairs_of(tasks, offers, answers, len(tasks)) / pairs_of(tasks, offers, answers, count)


def compare(kind: Kind, count: int, offers_count: int, turns: int, seconds: float) -> None:
    """One row for a kind of data."""
    tasks, offers = generate(kind, count, offers_count)
    quick: list[float] = []
    slow: list[float] = []
    ratios: list[float] = []
    for _ in range(turns):
        took, answers = clocked(lambda: ours(tasks, offers))
        plain, expected = clocked(lambda: naive(tasks, offers))
        assert list(answers.items()) == list(expected.items()), f"{kind}: the naive loop answers otherwise"  # noqa: S101
        quick.append(took)
        slow.append(plain)
        ratios.append(plain / took)
    best = statistics.median(quick)
    loops = python(tasks, offers, answers, seconds), numpy(tasks, offers, answers, seconds)
    print(
        f"{kind:8} {count:6} x {offers_count:6}  placed {len(answers):6}  ours {best * 1e3:7.1f} ms"
        f"  naive {statistics.median(slow) * 1e3:8.1f} ms ({statistics.median(ratios):5.1f} x)"
        f"  NumPy ~{loops[1] * 1e3:8.0f} ms ({loops[1] / best:5.1f} x)  Python ~{loops[0]:6.1f} s ({loops[0] / best:5.0f} x)",
        flush=True,
    )


def conversion() -> None:
    """Microseconds to read an object, and an incremental round."""
    tasks, offers = generate("rules", 20_000, 20_000)
    matcher = Matcher(resources=RESOURCES, score=Policy.best_fit(WEIGHTS), threshold=THRESHOLD)
    added, _ = clocked(lambda: matcher.add_offers(offers))
    matching = matcher.match(tasks[:10_000])
    print(
        f"conversion: {added / len(offers) * 1e6:.2f} us an offer, {matching.stats.read_s / 10_000 * 1e6:.2f} us a task"
    )
    lasting = Matcher(resources=RESOURCES, score=Policy.best_fit(WEIGHTS), threshold=THRESHOLD)
    lasting.add_offers(offers)
    lasting.match(tasks[:100])
    rounds: list[float] = []
    for number in range(1, 31):
        some = [offer for offer in offers[number::100] if offer.name in lasting]
        now = tasks[100 * number : 100 * number + 100]

        def one(some: list[Offer] = some, now: list[Task] = now) -> None:
            lasting.update_offers(some)
            lasting.match(now).as_dict()

        rounds.append(clocked(one)[0])
    print(f"incremental round (1 % of 20,000 offers changed, 100 tasks): {statistics.median(rounds) * 1e3:.2f} ms")


def beside(call: Callable[[], float]) -> tuple[float, float, float, float]:
    """Seconds of a call, what it returned, counts a millisecond of a thread beside it, and its longest stall in milliseconds."""
    done = threading.Event()
    counts, longest = 0, 0.0

    def count() -> None:
        nonlocal counts, longest
        last = time.perf_counter()
        while not done.is_set():
            for _ in range(100):
                counts += 1
            now = time.perf_counter()
            longest = max(longest, now - last)
            last = now

    thread = threading.Thread(target=count)
    thread.start()
    begun = time.perf_counter()
    part = call()
    took = time.perf_counter() - begun
    done.set()
    thread.join()
    return took, part, counts / took / 1e3, longest * 1e3


def python_way(ways: str, seconds: float, tasks: list[Task], offers: list[Offer]) -> float:
    """A loop in Python for so many seconds at most; gives the part of all pairs that it looked at."""
    plain, line = loop(ways), list(offers)
    pairs, begun = 0, time.perf_counter()
    for task in tasks:
        pairs += len(line)
        best = plain.best(task, line)
        if best is not None:
            line[best] = line[-1]
            line.pop()
        if time.perf_counter() - begun > seconds:
            break
    plain.close()
    # Of this kind of data all tasks are placed.
    return pairs / sum(range(len(offers) + 1))


def whole(call: Callable[..., Any], tasks: list[Task], offers: list[Offer]) -> float:
    """All of a call."""
    call(tasks, offers)
    return 1.0


def talk(size: int, seconds: float) -> None:
    """The rows of the talk; those in Python on fewer tasks and offers and for some seconds, extrapolated to 20,000 by pairs."""
    few, many = generate("plenty", size, size), generate("plenty", 20_000, 20_000)
    rows: list[tuple[str, tuple[list[Task], list[Offer]], Callable[[list[Task], list[Offer]], float]]] = [
        ("Python, single", few, partial(python_way, "single", seconds)),
        ("Python, threads", few, partial(python_way, "threads", seconds)),
        ("Python, processes", few, partial(python_way, "processes", seconds)),
        ("naive Rust, holding", many, partial(whole, partial(naive, hold=True))),
        ("naive Rust, single", many, partial(whole, naive)),
        ("naive Rust, 2 threads", many, partial(whole, partial(naive, threads=2))),
        ("oxflow", many, partial(whole, ours)),
    ]
    for name, (tasks, offers), call in rows:
        begun = time.perf_counter()
        part = call(tasks, offers)
        alone = (time.perf_counter() - begun) / part
        took, part, rate, stall = beside(partial(call, tasks, offers))
        scale = (20_000 / len(tasks)) ** 2
        mark = "~" if scale > 1 else " "
        print(
            f"{name:22} {mark}{alone * scale:8.2f} s  beside a busy thread {mark}{took / part * scale:8.2f} s"
            f"  its counts {rate:7.0f} a ms, longest stall {stall:6.1f} ms",
            flush=True,
        )


def main() -> None:
    """Print the rows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4, help="for Python and NumPy each, by kind")
    parser.add_argument("--kinds", default=",".join(KINDS))
    parser.add_argument("--only", choices=("kinds", "conversion", "talk"))
    options = parser.parse_args()
    if options.only in {None, "kinds"}:
        for kind in [kind for kind in KINDS if kind in options.kinds.split(",")]:
            compare(kind, 20_000, 20_000, options.turns, options.seconds)
        compare("uniform", 10_000, 2_000, options.turns, options.seconds)
    if options.only in {None, "conversion"}:
        conversion()
    if options.only in {None, "talk"}:
        talk(2_000, 5 * options.seconds)


if __name__ == "__main__":
    main()
