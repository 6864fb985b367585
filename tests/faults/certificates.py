"""Certificates for tests: an authority, and what it signed for a broker and its clients."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")


class Certificates:
    """Files in one folder. `server.pem` and `expired.pem` are a broker's, `client.pem` is a client's, `other.pem` a stranger."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        for authority in ("ca", "other"):
            files = ["-keyout", f"{authority}.key", "-out", f"{authority}.pem"]
            self._openssl("req", "-x509", *NEW_KEY, *files, "-days", "30", "-subj", f"/CN={authority} of tests")
        for name, days in (("server", 30), ("expired", -1), ("client", 30)):
            self._sign(name, days)

    def path(self, name: str) -> str:
        """Where a file is: `ca.pem`, `client.pem`."""
        return str(self._folder / name)

    def _sign(self, name: str, days: int) -> None:
        """Make a key and a certificate for 127.0.0.1, both in one file."""
        key, request, certificate = f"{name}.key", f"{name}.csr", f"{name}.crt"
        self._openssl("req", *NEW_KEY, "-keyout", key, "-out", request, "-subj", f"/CN={name} of tests")
        extensions = self._folder / "extensions"
        extensions.write_text("subjectAltName=IP:127.0.0.1\n", encoding="ascii")
        authority = ("-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", str(extensions))
        self._openssl("x509", "-req", "-in", request, *authority, "-days", str(days), "-out", certificate)
        parts = [(self._folder / part).read_text(encoding="ascii") for part in (key, certificate, "ca.pem")]
        (self._folder / f"{name}.pem").write_text("".join(parts), encoding="ascii")

    def _openssl(self, *arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=self._folder, check=True, capture_output=True)
