"""A proxy that answers itself for hosts of others, so that their own clients come here.

They know no other address than the real one, but go through a proxy, and trust the certificates
that they are told to.
"""

from __future__ import annotations

import datetime
import fnmatch
import socket
import ssl
import threading
from collections.abc import Sequence
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.standins.loopback import Handler, LoopbackServer


class TlsProxy(LoopbackServer):
    """A context manager.

    Args:
        handler: answers the requests to the hosts.
        hosts: for whom it stands, for instance ``*.example.org``; others are reached through it.
        folder: for the certificate.

    Attributes:
        environment: variables with which clients come here.
        key, certificate: PEM.
    """

    def __init__(self, handler: type[ProxyHandler], hosts: Sequence[str], folder: Path):
        super().__init__(handler)
        self.hosts = hosts
        self.key, self.certificate = _certificate(hosts)
        file = folder / "certificate.pem"
        file.write_bytes(self.key + self.certificate)
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.tls.load_cert_chain(file)
        self.environment = {
            "https_proxy": f"http://127.0.0.1:{self.port}",
            "CURL_CA_BUNDLE": str(file),  # TensorFlow
            "REQUESTS_CA_BUNDLE": str(file),
        }

    def place(self, host: str, port: int) -> tuple[str, int] | None:
        """Where the bytes for a host go; None for :meth:`ProxyHandler.answer`."""
        mine = any(fnmatch.fnmatchcase(host, name) for name in self.hosts)
        return None if mine else (host, port)


class ProxyHandler(Handler):
    """Answers what comes through the proxy. ``server_of`` is the :class:`TlsProxy`."""

    server_of: TlsProxy
    protocol_version = "HTTP/1.1"

    def do_CONNECT(self) -> None:
        """From here on the client speaks TLS with whom it believes to be the host."""
        host, _, port = self.path.rpartition(":")
        place = self.server_of.place(host, int(port))
        server = socket.create_connection(place) if place else None
        self.send_response(200)
        self.end_headers()
        self.wfile.flush()
        if server:
            _relay(self.connection, server)
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


def _relay(client: socket.socket, server: socket.socket) -> None:
    """Hands bytes to and fro until either side ends."""

    def pump(source: socket.socket, target: socket.socket) -> None:
        try:
            while data := source.recv(65536):
                target.sendall(data)
        except OSError:
            pass
        for end in (source, target):
            end.close()

    threading.Thread(target=pump, args=(server, client), daemon=True).start()
    pump(client, server)


def _certificate(hosts: Sequence[str]) -> tuple[bytes, bytes]:
    """A key, and a certificate of the hosts that nobody else trusts, as PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "stand-in")])
    names = x509.SubjectAlternativeName([x509.DNSName(host) for host in hosts])
    now = datetime.datetime.now(datetime.timezone.utc)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(names, False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return private, certificate.public_bytes(serialization.Encoding.PEM)
