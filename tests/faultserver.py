# SPDX-License-Identifier: MIT
"""A loopback server that can do each fault a server, a proxy or a network may have.

A behaviour is a function of a connection: it is called once a request, and writes raw bytes.
"""

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

Behaviour = Callable[["Connection"], None]


@dataclass
class Connection:
    """One request, and the socket to answer it on."""

    socket: socket.socket
    server: "FaultServer"
    number: int
    path: str

    def send(self, data: bytes) -> None:
        """Write raw bytes; a client that has hung up is none of our business."""
        with contextlib.suppress(OSError):
            self.socket.sendall(data)

    def answer(self, status: str, body: bytes = b"", length: int | None = -1, **headers) -> None:
        """Write a whole answer; `length` is that of the body unless given, None leaves it out."""
        lines = [f"HTTP/1.1 {status}", "Connection: close"]
        if length is not None:
            lines.append(f"Content-Length: {len(body) if length < 0 else length}")
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        self.send("\r\n".join([*lines, "", ""]).encode("latin-1") + body)

    def reset(self) -> None:
        """Hang up with a reset instead of an end."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def hold(self) -> None:
        """Say nothing more until the server closes."""
        self.server.closing.wait(60)

    def drip(self, data: bytes, pause: float = 0.05) -> None:
        """Write byte by byte, each in time."""
        for n in range(len(data)):
            if self.server.closing.wait(pause):
                return
            try:
                self.socket.sendall(data[n : n + 1])
            except OSError:
                return


class FaultServer:
    """Listens on loopback; `behaviour` answers, `asked` holds the first line of each request."""

    def __init__(self, behaviour: Behaviour) -> None:
        self.behaviour = behaviour
        self.asked: list[str] = []
        self.headers: list[str] = []
        self.closing = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with contextlib.suppress(OSError), client:
            request = b""
            while b"\r\n\r\n" not in request:
                piece = client.recv(65536)
                if not piece:
                    return
                request += piece
            head = request.decode("latin-1")
            self.asked.append(head.split("\r\n", 1)[0])
            self.headers.append(head)
            path = self.asked[-1].split()[1]
            self.behaviour(Connection(client, self, len(self.asked), path))
            with contextlib.suppress(OSError):
                client.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Stop listening, and let go of every connection that is held."""
        self.closing.set()
        # Closing alone would leave accept() waiting.
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        time.sleep(0)


def serve(data: bytes) -> Behaviour:
    """Return the behaviour of a healthy server."""
    return lambda connection: connection.answer("200 OK", data)


def first(fault: Behaviour, times: int, then: Behaviour) -> Behaviour:
    """Return a behaviour that is faulty for some requests, then another one."""
    return lambda connection: (fault if connection.number <= times else then)(connection)


def refused_port() -> int:
    """Return a port of loopback on which nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]
