"""The four calls as they were found: one request after the other, tasks with whole tasks inside, and two loops."""

from __future__ import annotations

import json
import re
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

RESOURCES = {"cpu": 1.0, "mem": 1 / 8, "disk": 1 / 16, "gpu": 4.0}


class Client:
    """A connection to the cluster."""

    def __init__(self, url: str) -> None:
        self.connection = HTTPConnection(urlsplit(url).netloc)

    def call(self, method: str, path: str, trace: str, body: object = None) -> Any:
        """One request and its answer."""
        content = None if body is None else json.dumps(body)
        self.connection.request(method, path, content, {"traceparent": trace})
        return json.load(self.connection.getresponse())


def get_resource_offers(client: Client, trace: str) -> list[dict[str, Any]]:
    """What servers have free."""
    offers: list[dict[str, Any]] = client.call("GET", "/offers", trace)
    return offers


def get_processable_tasks(client: Client, trace: str) -> list[dict[str, Any]]:
    """Tasks of which all that they need is done. What many need comes many times."""
    tasks: list[dict[str, Any]] = client.call("GET", "/tasks/nested", trace)
    return [task for task in tasks if all(need["done"] for need in task["depends_on"])]


def match_tasks_to_offers(tasks: list[dict[str, Any]], offers: list[dict[str, Any]]) -> dict[str, str]:
    """The lowest score below 31 wins; its offer leaves, and the last one stands in its place."""
    matched: dict[str, str] = {}
    for task in tasks:
        best, best_score = None, 31.0
        for index, offer in enumerate(offers):
            if is_fitting_offer(task, offer) and (score := compute_score(task, offer)) < best_score:
                best, best_score = index, score
        if best is not None:
            offers[best], offers[-1] = offers[-1], offers[best]
            matched[offers.pop()["name"]] = task["name"]
    return matched


def is_fitting_offer(task: dict[str, Any], offer: dict[str, Any]) -> bool:
    """Whether there is enough of all, and no rule is broken."""
    if any(offer[resource] < task[resource] for resource in RESOURCES):
        return False
    for attribute, operator, wanted in task["constraints"]:
        value = offer["attributes"][attribute]
        if not (re.fullmatch(wanted, value) if operator == "~" else value == wanted):
            return False
    return True


def compute_score(task: dict[str, Any], offer: dict[str, Any]) -> float:
    """What would be left over."""
    score = 0.0
    for resource, weight in RESOURCES.items():
        score += weight * (offer[resource] - task[resource])
    return score


def prepare_payloads(client: Client, trace: str, matched: dict[str, str]) -> int:
    """For each match ask for the image, then launch it."""
    for offer, task in matched.items():
        image = client.call("GET", f"/images/{task}", trace)["image"]
        client.call("POST", "/launch", trace, {"task": task, "offer": offer, "image": image})
    return len(matched)
