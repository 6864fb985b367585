"""The same four calls: flat tasks, a matcher, and requests side by side."""

from __future__ import annotations

from typing import Any

from oxflow.scheduler import Matcher, Matching, Policy, Request, fetch_all

RESOURCES = {"cpu": 1.0, "mem": 1 / 8, "disk": 1 / 16, "gpu": 4.0}


def get(url: str, trace: str) -> Any:
    """One request and its answer."""
    return fetch_all([url], traceparent=trace)[0].raise_for_status().json()


def get_resource_offers(url: str, trace: str) -> list[dict[str, Any]]:
    """What servers have free."""
    offers: list[dict[str, Any]] = get(f"{url}/offers", trace)
    return offers


def get_processable_tasks(url: str, trace: str) -> tuple[list[dict[str, Any]], list[str]]:
    """Tasks with the names of what they need, and the names of what is done. No Rust: the service answers with less.

    Where the service can't be changed, `oxflow.scheduler.flatten_tasks` makes this of its answer.
    """
    answer = get(f"{url}/tasks", trace)
    return answer["tasks"], answer["done"]


def match_tasks_to_offers(tasks: list[dict[str, Any]], done: list[str], offers: list[dict[str, Any]]) -> Matching:
    """The same answers. Tasks that wait for others are left over, and so is said why."""
    matcher = Matcher(resources=list(RESOURCES), score=Policy.best_fit(RESOURCES), threshold=31.0)
    matcher.add_offers(offers)
    return matcher.match(tasks, done=done)


def prepare_payloads(url: str, trace: str, matched: dict[str, str]) -> int:
    """Ask for all images at once, then launch all."""
    images = fetch_all([f"{url}/images/{task}" for task in matched.values()], retries=3, traceparent=trace)
    launches = [
        Request(f"{url}/launch", method="POST", json={"task": task, "offer": offer, **image.raise_for_status().json()})
        for (offer, task), image in zip(matched.items(), images, strict=True)
    ]
    return sum(launched.ok for launched in fetch_all(launches, retries=3, traceparent=trace))
