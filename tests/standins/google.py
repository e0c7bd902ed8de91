"""A stand-in for Google Cloud on this machine, for Google's and TensorFlow's own clients.

They know no other address than Google's, but go through a proxy, and trust the certificates that
they are told to. So this is a proxy that answers itself.
"""

from __future__ import annotations

import datetime
import socket
import ssl
import threading
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.standins.buckets import Bucket
from tests.standins.loopback import Handler, LoopbackServer
from tests.standins.vertex import Vertex

_VERTEX = "-aiplatform.googleapis.com"
_TOKEN = {"access_token": "of the stand-in", "expires_in": 3600, "token_type": "Bearer"}


class Google(LoopbackServer):
    """Cloud Storage with one bucket, Vertex AI and the tokens for both.

    A context manager.

    Args:
        folder: for the certificate.
        bucket: name of the bucket.

    Attributes:
        environment: variables with which clients come here.
    """

    def __init__(self, folder: Path, bucket: str = "bucket"):
        super().__init__(_Handler)
        key, certificate = _certificate()
        file = folder / "google.pem"
        file.write_bytes(key + certificate)
        self.bucket, self.vertex = Bucket(bucket), Vertex(key, certificate)
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.tls.load_cert_chain(file)
        self.lock = threading.Lock()
        self.environment = {
            "https_proxy": f"http://127.0.0.1:{self.port}",
            "CURL_CA_BUNDLE": str(file),  # TensorFlow
            "REQUESTS_CA_BUNDLE": str(file),
            "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH": str(file),
            "NO_GCE_CHECK": "true",
            "CLOUDSDK_CONFIG": str(folder / "gcloud"),
        }

    def __exit__(self, *_: object) -> None:
        super().__exit__()
        self.vertex.stop()


class _Handler(Handler):
    server_of: Google
    protocol_version = "HTTP/1.1"

    def do_CONNECT(self) -> None:
        """From here on the client speaks TLS with whom it believes to be Google."""
        self.send_response(200)
        self.end_headers()
        self.wfile.flush()
        if self.path.split(":")[0].endswith(_VERTEX):
            _relay(self.connection, self.server_of.vertex.port)
            self.close_connection = True
            return
        self.connection = self.server_of.tls.wrap_socket(self.connection, server_side=True)
        self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb")
        self.close_connection = False

    def handle_expect_100(self) -> bool:
        """Lets the client go on at once; after a second it would by itself."""
        goes_on = super().handle_expect_100()
        self.wfile.flush()
        return goes_on

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


def _relay(client: socket.socket, port: int) -> None:
    """Hands bytes to and fro until either side ends."""

    def pump(source: socket.socket, target: socket.socket) -> None:
        try:
            while data := source.recv(65536):
                target.sendall(data)
        except OSError:
            pass
        for end in (source, target):
            end.close()

    server = socket.create_connection(("127.0.0.1", port))
    threading.Thread(target=pump, args=(server, client), daemon=True).start()
    pump(client, server)


def _certificate() -> tuple[bytes, bytes]:
    """A key, and a certificate of Google's hosts that nobody else trusts, as PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "stand-in")])
    now = datetime.datetime.now(datetime.timezone.utc)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("*.googleapis.com")]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return private, certificate.public_bytes(serialization.Encoding.PEM)
