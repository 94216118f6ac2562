"""The web server's address."""

from __future__ import annotations

import socket
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from migrations_app.embedded import bind
from migrations_app.embedded.places import free_port
from migrations_app.engine.errors import Refused


class Page(BaseHTTPRequestHandler):
    @property
    def hosts_name(self) -> str:
        _, port = self.connection.getsockname()
        return f"lockstep.example:{port}"

    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/login" and self.headers["Host"] == self.hosts_name else 400)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        return


@pytest.mark.parametrize(
    ("text", "text_again", "url"),
    [
        ("127.0.0.1:8000", "127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("0.0.0.0:80", "0.0.0.0:80", "http://127.0.0.1:80"),
        ("[::1]:9000", "[::1]:9000", "http://[::1]:9000"),
        ("localhost:9000", "localhost:9000", "http://localhost:9000"),
    ],
)
def test_it_reads_an_address(text: str, text_again: str, url: str) -> None:
    parsed = bind.parse(text)
    assert (parsed.text, parsed.url) == (text_again, url)


@pytest.mark.parametrize("text", ["8000", ":8000", "h", "h:", "h:web", "h:0", "h:65536"])
def test_it_names_the_variable_and_what_it_wants(text: str) -> None:
    with pytest.raises(Refused) as refusal:
        bind.parse(text)
    assert refusal.value.message == f"GUNICORN_BIND is {text!r}; it wants HOST:PORT, such as 127.0.0.1:8000."


def test_a_free_address_is_fine() -> None:
    bind.ensure_free(bind.Bind("127.0.0.1", free_port()))


def test_a_taken_address_is_refused_with_a_suggestion() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(Refused) as refusal:
            bind.ensure_free(bind.Bind("127.0.0.1", port))
    assert str(refusal.value) == (
        f"GUNICORN_BIND is 127.0.0.1:{port}, and nothing can listen there: Address already in use. "
        "Nothing was started. Set GUNICORN_BIND (or --bind) to a free address, such as "
        f"{bind.Bind('127.0.0.1', port).next.text}."
    )


def test_the_highest_ports_neighbour_is_below_it() -> None:
    assert bind.Bind("h", 65535).next.port == 65534


def test_a_host_that_is_not_here_is_refused() -> None:
    with pytest.raises(Refused, match=r"GUNICORN_BIND is 192.0.2.1:8000, and nothing can listen there"):
        bind.ensure_free(bind.Bind("192.0.2.1", 8000))


def test_waiting_ends_with_the_page_or_with_the_server() -> None:
    with HTTPServer(("127.0.0.1", 0), Page) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        here = bind.Bind("127.0.0.1", server.server_port)
        host = "lockstep.example"
        assert bind.wait_for_page(here, "/login", host=host, patience=10.0, alive=lambda: True)
        assert not bind.wait_for_page(here, "/login", host="127.0.0.1", patience=0.3, alive=lambda: True)
        assert not bind.wait_for_page(here, "/broken", host=host, patience=0.3, alive=lambda: True)
        server.shutdown()
        thread.join()
    assert not bind.wait_for_page(here, "/login", host=host, patience=600.0, alive=lambda: False)
