"""A tiny server on this machine's loopback, and what it was asked."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer

Reply = tuple[int, Mapping[str, str], bytes]


@dataclass
class Site:
    """`replies` are by path; `/silent` never answers."""

    port: int = 0
    replies: dict[str, Reply] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)  # the path and the Host header

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def says(self, path: str, body: str | bytes = "", status: int = 200, **headers: str) -> None:
        text = body.encode() if isinstance(body, str) else body
        self.replies[path] = (status, {name.replace("_", "-"): value for name, value in headers.items()}, text)


def _handler(site: Site, stopped: threading.Event) -> type[BaseHTTPRequestHandler]:
    class Answering(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            site.asked.append((self.path, self.headers["Host"]))
            if self.path == "/silent":
                stopped.wait(20)
                return
            status, headers, body = site.replies.get(self.path, (404, {}, b""))
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    return Answering


@contextmanager
def serving(wrap: Callable[[HTTPServer], None] = lambda server: None) -> Iterator[Site]:
    site, stopped = Site(), threading.Event()
    server = HTTPServer(("127.0.0.1", 0), _handler(site, stopped))
    wrap(server)
    site.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield site
    finally:
        stopped.set()
        server.shutdown()
        thread.join()
        server.server_close()
