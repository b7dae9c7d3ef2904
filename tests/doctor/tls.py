"""TLS on loopback: certificates of their own, and a server before something that speaks plain HTTP.

with before(harbor.port, certificate(folder, days=3)) as url: …
"""

import contextlib
import datetime as dt
import http.client
import ipaddress
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

DAY = dt.timedelta(days=1)


def certificate(folder: Path, *, days: float = 90, since: float = -10, host: str = "127.0.0.1") -> Path:
    """Make a certificate that is valid for so many days from now; gives the file with it and its key."""
    key, now = ec.generate_private_key(ec.SECP256R1()), dt.datetime.now(dt.UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Test")])
    address = x509.IPAddress(ipaddress.ip_address(host)) if host[0].isdigit() else x509.DNSName(host)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + since * DAY)
        .not_valid_after(now + days * DAY)
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = folder / "server.pem"
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM) + private)
    return path


@contextlib.contextmanager
def before(port: int, pem: Path, *, ahead: dt.timedelta = dt.timedelta()) -> Iterator[str]:
    """Serve what answers at a port over TLS; gives the URL. The Date of each answer is `ahead` of the time."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, headers, body = self.passed_on()
            self.send_response_only(status)
            for header, value in headers:
                if header.lower() not in {"date", "transfer-encoding", "content-length", "connection"}:
                    self.send_header(header, value)
            self.send_header("Date", (dt.datetime.now(dt.UTC) + ahead).strftime("%a, %d %b %Y %H:%M:%S GMT"))
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def passed_on(self) -> tuple[int, list[tuple[str, str]], bytes]:
            if not port:
                return 200, [], b""
            content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
            connection.request(self.command, self.path, body=content, headers=dict(self.headers))
            answer = connection.getresponse()
            body = answer.read()
            connection.close()
            return answer.status, answer.getheaders(), body

        do_POST = do_HEAD = do_GET  # noqa: N815

        def log_message(self, *_arguments) -> None:
            """Stay quiet."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_arguments) -> None:
            """A client that does not take the certificate hangs up; that is the test."""

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    with Server(("127.0.0.1", 0), Handler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield f"https://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()
