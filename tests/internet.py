# SPDX-License-Identifier: MIT
"""Servers of others, on loopback: a proxy that answers for every host, over TLS."""

import socketserver
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread

import pytest
from support import make_certificate


def answer(status: str, body: bytes = b"", *headers: str) -> bytes:
    """Return a whole answer of a server."""
    head = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers]
    return "\r\n".join([*head, "", ""]).encode() + body


class Internet(dict):
    """What servers answer by host and path, what was asked, and the headers of each request."""

    def __init__(self) -> None:
        super().__init__()
        self.urls: list[str] = []
        self.asked: list[list[str]] = []

    def publish(self, url: str, body: bytes) -> None:
        """Have a file answered under its ``https://`` URL."""
        self[url.removeprefix("https://")] = answer("200 OK", body)


@contextmanager
def internet_of(hosts: list[str], folder: Path) -> Iterator[Internet]:
    """Stand for servers of these hosts, as long as the context lasts, in subprocesses too."""
    key, certificate = make_certificate(folder, *hosts)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    answers = Internet()

    class Proxy(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            host = self.rfile.readline().split()[1].decode().split(":")[0]
            while self.rfile.readline().strip():
                pass
            self.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
            with context.wrap_socket(self.request, server_side=True) as secure:
                request = secure.makefile("rb")
                path = request.readline().split()[1].decode()
                answers.urls.append(f"https://{host}{path}")
                answers.asked.append([])
                while line := request.readline().strip():
                    answers.asked[-1].append(line.decode())
                with suppress(OSError):  # the client may have read enough
                    secure.sendall(answers.get(host + path, answer("404 Not Found")))

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Proxy) as server:
        server.daemon_threads = True
        Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        with pytest.MonkeyPatch.context() as environment:
            environment.setenv("HTTPS_PROXY", f"http://127.0.0.1:{server.server_address[1]}")
            environment.setenv("REQUESTS_CA_BUNDLE", str(certificate))
            yield answers
        server.shutdown()
