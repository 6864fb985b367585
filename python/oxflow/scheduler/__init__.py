"""Place tasks on offers: best fit and other policies, with exactly the answers of the plain loop, hundreds of times as fast.

    from oxflow.scheduler import Matcher, Policy

    matcher = Matcher(resources=["cpu", "mem"], score=Policy.best_fit(weights={"cpu": 1, "mem": 0.25}), threshold=31.0)
    matcher.add_offers(offers)
    matching = matcher.match(tasks)
    matching.as_dict()  # offer name -> task name

Tasks and offers are objects of any class, dictionaries, or columns. `match_tasks_to_offers` is the same in one call, and
`reference` the loop in plain Python that all of it is tested against. `fetch_all` is for the calls around it: many requests at a
time.
"""

from __future__ import annotations

from oxflow.scheduler import reference
from oxflow.scheduler.calls import Fetched, Request, fetch_all, fetch_all_async
from oxflow.scheduler.documents import flatten_tasks
from oxflow.scheduler.dropin import match_tasks_to_offers
from oxflow.scheduler.matcher import Matcher
from oxflow.scheduler.matching import Explanation, Matching, Nearest, Stats, Unplaced
from oxflow.scheduler.policy import Policy
from oxflow.scheduler.samples import Offer, Task, generate

__all__ = [
    "Explanation",
    "Fetched",
    "Matcher",
    "Matching",
    "Nearest",
    "Offer",
    "Policy",
    "Request",
    "Stats",
    "Task",
    "Unplaced",
    "fetch_all",
    "fetch_all_async",
    "flatten_tasks",
    "generate",
    "match_tasks_to_offers",
    "reference",
]
