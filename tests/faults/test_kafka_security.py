"""TLS and SASL on a real broker: what goes through, and how what doesn't is told."""

from __future__ import annotations

import base64
import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from broker import PASSWORD, USER

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from broker import Broker
    from raw import Raw


def token(**claims: object) -> str:
    """A token that nobody signed, which the broker of tests takes."""
    content = {"sub": USER, "iat": int(time.time()) - 5, "exp": int(time.time()) + 600, **claims}
    parts = [{"alg": "none"}, content]
    return ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts) + "."


def tls(broker: Broker) -> dict[str, str]:
    client = broker.certificates.path("client.pem")
    return {
        "security.protocol": "ssl",
        "ssl.ca.location": broker.certificates.path("ca.pem"),
        "ssl.certificate.location": client,
        "ssl.key.location": client,
    }


def sasl(broker: Broker, mechanism: str, password: str = PASSWORD) -> dict[str, str]:
    login = {"sasl.mechanism": mechanism, "sasl.username": USER, "sasl.password": password}
    return {"security.protocol": "sasl_ssl", "ssl.ca.location": broker.certificates.path("ca.pem"), **login}


def check_passes(raw: Raw, at: Mapping[str, Any]) -> None:
    raw.create()
    raw.write(raw.topic("words"), b"one", b"two")
    run = raw.start(raw.streams(at))
    raw.wait_for("plain", 2, run)
    raw.drain(run)
    assert [value for _, value, _ in raw.read("plain")] == [b"one", b"two"]


def check_refused(raw: Raw, at: Mapping[str, Any], *said: str) -> None:
    raw.create()
    run = raw.start(raw.streams(at))
    assert run.wait(30) == 4, raw.log(run)
    log = raw.log(run)
    assert all(part in log for part in ("OXF0408", "cannot connect to topic", *said)), log
    assert PASSWORD not in log
    assert "wrong-one" not in log


def test_certificates_of_both_sides_are_taken(raw: Raw, broker: Broker) -> None:
    check_passes(raw, {"bootstrap_servers": broker.tls, "properties": tls(broker)})


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-512"])
def test_a_name_and_a_password_out_of_a_file_are_taken(
    raw: Raw, broker: Broker, mechanism: str, tmp_path: Path
) -> None:
    secret = tmp_path / "secret"
    secret.write_text(f"{PASSWORD}\n", encoding="utf-8")
    properties = sasl(broker, mechanism, f"${{file:{secret}}}")
    check_passes(raw, {"bootstrap_servers": broker.sasl, "properties": properties})


@pytest.mark.parametrize("kind", ["file", "command"])
def test_a_token_is_taken(raw: Raw, broker: Broker, kind: str, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(token(), encoding="ascii")
    source: Any = str(file) if kind == "file" else ["cat", str(file)]
    properties = {"ssl.ca.location": broker.certificates.path("ca.pem")}
    check_passes(raw, {"bootstrap_servers": broker.sasl, "oauth_token": {kind: source}, "properties": properties})


@pytest.mark.parametrize("kind", ["tls", "sasl", "token"])
def test_dead_letters_are_seen_and_sent_again_by_the_same_way(
    raw: Raw, broker: Broker, kind: str, tmp_path: Path
) -> None:
    file = tmp_path / "token"
    file.write_text(token(), encoding="ascii")
    ca = {"ssl.ca.location": broker.certificates.path("ca.pem")}
    at: dict[str, Any] = {
        "tls": {"bootstrap_servers": broker.tls, "properties": tls(broker)},
        "sasl": {"bootstrap_servers": broker.sasl, "properties": sasl(broker, "SCRAM-SHA-256")},
        "token": {"bootstrap_servers": broker.sasl, "oauth_token": {"file": str(file)}, "properties": ca},
    }[kind]
    raw.create()
    raw.write(raw.topic("words"), b"grow 2000000")
    run = raw.start(raw.streams(at), "steps.out.on_error=dead_letter")
    raw.wait_for("dead-letters", 1, run)
    raw.drain(run)
    listed = raw.letters("ls", "--json")
    (found,) = map(json.loads, listed.splitlines())
    assert (found["payload"], found["state"]) == ("grow 2000000", "open")
    assert raw.letters("replay") == f"replayed 1 dead letter: 1 to topic `{raw.topic('words')}`\n"
    assert raw.letters("ls", "--json") == ""
    assert [value for _, value, _ in raw.read("words")] == [b"grow 2000000"] * 2


def test_a_certificate_of_another_authority_is_told(raw: Raw, broker: Broker) -> None:
    properties = tls(broker) | {"ssl.ca.location": broker.certificates.path("other.pem")}
    at = {"bootstrap_servers": broker.tls, "properties": properties}
    check_refused(raw, at, "certificate verify failed", "`ssl.ca.location`")


def test_a_certificate_that_is_out_of_date_is_told(raw: Raw, broker: Broker) -> None:
    at = {"bootstrap_servers": broker.expired, "properties": tls(broker)}
    # librdkafka says no more of it than that.
    check_refused(raw, at, "certificate verify failed", "in date")


def test_a_wrong_password_is_told(raw: Raw, broker: Broker) -> None:
    at = {"bootstrap_servers": broker.sasl, "properties": sasl(broker, "SCRAM-SHA-512", "wrong-one")}
    check_refused(raw, at, "Authentication failed", "`sasl.password`")


def test_a_token_that_is_over_is_told(raw: Raw, broker: Broker) -> None:
    over = {"iat": int(time.time()) - 600, "exp": int(time.time()) - 300}
    properties = {"ssl.ca.location": broker.certificates.path("ca.pem")}
    source = {"command": ["echo", token(**over)]}
    at = {"bootstrap_servers": broker.sasl, "oauth_token": source, "properties": properties}
    check_refused(raw, at, "`oauth_token`")


def test_a_token_that_nobody_gives_is_told(raw: Raw, broker: Broker) -> None:
    properties = {"ssl.ca.location": broker.certificates.path("ca.pem")}
    at = {
        "bootstrap_servers": broker.sasl,
        "oauth_token": {"file": "/nowhere/token"},
        "properties": properties,
    }
    check_refused(raw, at, "/nowhere/token")
