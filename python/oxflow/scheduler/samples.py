"""Tasks and offers to try things with: five kinds of a day in a cluster, the same for the same seed."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import Literal, TypeAlias

__all__ = ["Kind", "Offer", "Task", "generate"]

Kind: TypeAlias = Literal["plenty", "scarce", "same", "rules", "uniform"]


@dataclass(slots=True)
class Task:
    """What needs a place: cores, memory and disk in GiB, GPUs."""

    name: str
    cpu: float
    mem: float
    disk: float
    gpu: float
    constraints: tuple[tuple[str, str, str], ...] = ()


@dataclass(slots=True)
class Offer:
    """What a server has free, in the same units."""

    name: str
    cpu: float
    mem: float
    disk: float
    gpu: float
    attributes: dict[str, str] = field(default_factory=dict[str, str])


def generate(kind: Kind, tasks: int, offers: int, seed: int = 0) -> tuple[list[Task], list[Offer]]:
    """Make tasks and offers.

    Args:
        kind: `plenty`, nearly all tasks find a place; `scarce`, most find none; `same`, servers of few sizes, so that ties are many;
            `rules`, half of the tasks have constraints on pool, zone and model; `uniform`, amounts without any pattern.
        tasks: how many.
        offers: how many.
        seed: other numbers for another seed.
    """
    random = Random(f"{kind} {seed}")  # noqa: S311  # not a secret
    task, offer = _MAKERS[kind]
    return [task(random, index) for index in range(tasks)], [offer(random, index) for index in range(offers)]


def _task(random: Random, index: int) -> Task:
    size = random.choice((0.5, 1, 1, 2, 2, 4, 8))
    gpu = random.choice((1.0, *(0.0,) * 19))
    return Task(f"task-{index}", size, size * random.choice((1, 2, 4)), random.uniform(1, 20), gpu)


def _large_offer(random: Random, index: int) -> Offer:
    cpu = random.uniform(8, 16)
    gpu = random.choice((1.0, 0.0, 0.0, 0.0, 0.0))
    return Offer(f"offer-{index}", cpu, random.uniform(32, 64), random.uniform(20, 40), gpu, _attributes(random))


def _small_offer(random: Random, index: int) -> Offer:
    return Offer(
        f"offer-{index}", random.uniform(0, 3), random.uniform(0, 8), random.uniform(0, 30), 0.0, _attributes(random)
    )


def _same_offer(random: Random, index: int) -> Offer:
    cpu, mem, gpu = random.choice(((8.0, 32.0, 0.0), (16.0, 64.0, 0.0), (16.0, 64.0, 1.0)))
    return Offer(f"offer-{index}", cpu, mem, 40.0, gpu, _attributes(random))


def _ruled_task(random: Random, index: int) -> Task:
    task = _task(random, index)
    if random.choice((True, False)):
        rules = [
            ("pool", "=", random.choice(("prod", "batch"))),
            ("zone", "~", f"eu-(west|north)-{random.randrange(1, 10)}"),
        ]
        rules.append(("model", "~", f"gen{random.randrange(3, 8)}.*"))
        task.constraints = tuple(random.sample(rules, random.choice((1, 1, 2))))
    return task


def _uniform_task(random: Random, index: int) -> Task:
    return Task(f"task-{index}", random.random() * 8, random.random() * 8, random.random() * 8, random.random() * 8)


def _uniform_offer(random: Random, index: int) -> Offer:
    cpu, mem, disk, gpu = (random.random() * 10 for _ in range(4))
    return Offer(f"offer-{index}", cpu, mem, disk, gpu, _attributes(random))


def _attributes(random: Random) -> dict[str, str]:
    return {
        "pool": random.choice(("prod", "batch", "test")),
        "zone": f"eu-{random.choice(('west', 'north', 'south'))}-{random.randrange(1, 10)}",
        "model": f"gen{random.randrange(3, 8)}{random.choice(('', 'a', 'n'))}",
    }


_MAKERS = {
    "plenty": (_task, _large_offer),
    "scarce": (_task, _small_offer),
    "same": (_task, _same_offer),
    "rules": (_ruled_task, _large_offer),
    "uniform": (_uniform_task, _uniform_offer),
}
