"""A stand-in for Google Cloud on this machine, for Google's and TensorFlow's own clients."""

from __future__ import annotations

import threading
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from tests.standins.buckets import Bucket
from tests.standins.proxy import ProxyHandler, TlsProxy
from tests.standins.vertex import Vertex

_VERTEX = "-aiplatform.googleapis.com"
_TOKEN = {"access_token": "of the stand-in", "expires_in": 3600, "token_type": "Bearer"}


class Google(TlsProxy):
    """Cloud Storage with one bucket, Vertex AI and the tokens for both.

    A context manager.

    Args:
        folder: for the certificate.
        bucket: name of the bucket.
    """

    def __init__(self, folder: Path, bucket: str = "bucket"):
        super().__init__(_Handler, ["*.googleapis.com"], folder)
        self.bucket, self.vertex = Bucket(bucket), Vertex(self.key, self.certificate)
        self.lock = threading.Lock()
        self.environment |= {
            "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH": self.environment["CURL_CA_BUNDLE"],
            "NO_GCE_CHECK": "true",
            "CLOUDSDK_CONFIG": str(folder / "gcloud"),
        }

    def place(self, host: str, port: int) -> tuple[str, int] | None:
        if host.endswith(_VERTEX):
            return "127.0.0.1", self.vertex.port
        return super().place(host, port)

    def __exit__(self, *_: object) -> None:
        super().__exit__()
        self.vertex.stop()


class _Handler(ProxyHandler):
    server_of: Google

    def _handle(self) -> None:
        body, url = self.body(), urlsplit(self.path)
        parts = [unquote(part) for part in url.path.split("/")[1:]]
        if "oauth2" in (self.headers["Host"].split(".")[0], parts[0]):  # each client has its own
            self.answer(200, _TOKEN)
            return
        headers = {name.lower(): value for name, value in self.headers.items()}
        with self.server_of.lock:
            answer = self.server_of.bucket.answer(
                self.command, parts, dict(parse_qsl(url.query)), headers, body
            )
        self.answer(*answer)

    do_GET = do_POST = do_PUT = do_DELETE = _handle
