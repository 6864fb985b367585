"""A logstore that believes nobody: it checks each request with the official SDK, and writes what it took as lines of JSON.

    sls_server.py FILE SECRET [FAULTS]

Prints its port. `FAULTS` are answers to the first requests, in place of the usual one: a status, `reset`, or `silence`.
"""

from __future__ import annotations

import hashlib
import json
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from aliyun.log.auth import AuthV1, AuthV4
from aliyun.log.compress import Compressor, CompressType
from aliyun.log.credentials import StaticCredentialsProvider
from aliyun.log.log_logs_raw_pb2 import LogGroupRaw

FILE, SECRET, *FAULTS = sys.argv[1:]
PATH = "/logstores/app/shards/lb"


class AuthOfThen(AuthV1):  # type: ignore[misc]  # there in an environment of its own
    """Signs for the time that the request says."""

    def __init__(self, provider: Any, date: str) -> None:
        super().__init__(provider)
        self._date = date

    def _getGMT(self) -> str:  # noqa: N802  # its name there
        return self._date


def wanted(headers: dict[str, str], body: bytes) -> str:
    """What the SDK would have signed."""
    token = headers.get("x-acs-security-token", "")
    provider = StaticCredentialsProvider("key", SECRET, token)
    signed = {name: value for name, value in headers.items() if name.startswith(("x-log-", "x-acs-")) or name == "host"}
    signed["Content-Type"] = headers["content-type"]
    if headers["authorization"].startswith("LOG "):
        del signed["x-log-date"]
        AuthOfThen(provider, headers["date"]).sign_request("POST", PATH, {}, signed, body)
        return str(signed["Authorization"])
    region = headers["authorization"].split("/")[2]
    del signed["Content-Type"]
    signed["content-type"] = headers["content-type"]
    return str(AuthV4(provider, region)._do_sign_request("POST", PATH, {}, signed, body, headers["x-log-date"]))


def read(headers: dict[str, str], body: bytes) -> Any:
    size = int(headers["x-log-bodyrawsize"])
    kind = {"lz4": CompressType.LZ4, "zstd": CompressType.ZSTD}[headers["x-log-compresstype"]]
    raw = Compressor.decompress(body, size, kind)
    group = LogGroupRaw()
    group.ParseFromString(raw)
    assert (len(raw), group.IsInitialized()) == (size, True)
    assert len(group.Logs) <= 4096
    return group


class Logstore(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        fault = FAULTS.pop(0) if FAULTS else ""
        if fault == "reset":
            self.close_connection = True
            return
        if fault == "silence":
            time.sleep(2)
            self.close_connection = True
            return
        if fault:
            self.reply(int(fault), "ShardWriteQuotaExceed")
        elif self.path != PATH or headers["authorization"] != wanted(headers, body):
            self.reply(401, "SignatureNotMatch")
        elif headers["content-md5"] != hashlib.md5(body).hexdigest().upper():  # noqa: S324  # the service's own choice
            self.reply(400, "InvalidContentMD5")
        else:
            self.keep(headers, read(headers, body))
            self.reply(200, "")

    def keep(self, headers: dict[str, str], group: Any) -> None:
        shared = {
            "topic": group.Topic,
            "source": group.Source,
            "tags": {tag.Key: tag.Value for tag in group.LogTags},
            "compression": headers["x-log-compresstype"],
            "token": headers.get("x-acs-security-token"),
        }
        with open(FILE, "a", encoding="utf-8") as file:  # noqa: PTH123  # a name is what it has
            for log in group.Logs:
                contents = {pair.Key: pair.Value.decode() for pair in log.Contents}
                print(json.dumps({**shared, "time": log.Time, "ns": log.Time_ns, "contents": contents}), file=file)

    def reply(self, status: int, code: str) -> None:
        said = json.dumps({"errorCode": code}).encode() if code else b""
        self.send_response(status)
        self.send_header("content-length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)
        with open(f"{FILE}.answers", "a", encoding="utf-8") as file:  # noqa: PTH123  # as above
            print(status, file=file)

    def log_message(self, *_: object) -> None:
        """Nothing: the port is what is printed."""


# With threads: while one is silent, the next request is answered.
server = ThreadingHTTPServer(("127.0.0.1", 0), Logstore)
sys.stdout.write(f"{server.server_port}\n")
sys.stdout.flush()
server.serve_forever()
