"""server.gateway: WSGI as the specification has it (PEP 3333), and answers that are whole."""

from collections.abc import Callable, Iterable
from types import SimpleNamespace
from typing import Any

import pytest
from gunicorn.config import Config

from service.server.gateway import Gateway

Headers = list[tuple[str, str]]


def request(method: str = "GET", headers: Headers | None = None, target: str = "/a%20b?c=d") -> Any:
    """Return a request as gunicorn's parser has it."""
    path, _, query = target.partition("?")
    return SimpleNamespace(
        method=method,
        uri=target,
        path=path,
        query=query,
        scheme="http",
        version=(1, 1),
        headers=headers or [],
    )


def ask(app: Callable[..., Iterable[bytes]], asked: Any, *, keep: bool = True) -> tuple[str, bytes]:
    """Return the head and the body of an answer."""
    gateway = Gateway(app, Config())
    connection: Any = SimpleNamespace(client=("192.0.2.1", 1234), server=("127.0.0.1", 8000))
    answer = gateway.answer(gateway.environ(connection), asked, None, keep=keep)
    head, _, body = answer.partition(b"\r\n\r\n")
    return head.decode("latin-1"), body


def answering(status: str, headers: Headers, *content: bytes) -> Callable[..., Iterable[bytes]]:
    """Return an application that always answers this."""

    def app(_environ: Any, start_response: Callable[..., Any]) -> Iterable[bytes]:
        start_response(status, headers)
        return content

    return app


def test_the_environment_has_what_the_request_has() -> None:
    """Headers by their names, a repeated one joined, and nobody else's."""
    seen: list[dict[str, Any]] = []

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        seen.append(environ)
        start_response("200 OK", [])
        return [b""]

    ask(app, request("POST", [("HOST", "x"), ("CONTENT-TYPE", "a/b"), ("X-A", "1"), ("X-A", "2")]))
    ask(app, request())

    first, second = seen
    expected = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/a b",
        "QUERY_STRING": "c=d",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "192.0.2.1",
        "SERVER_PORT": "8000",
        "HTTP_HOST": "x",
        "CONTENT_TYPE": "a/b",
        "HTTP_X_A": "1,2",
        "wsgi.url_scheme": "http",
    }
    assert expected == {name: first[name] for name in expected}
    assert not {"HTTP_HOST", "CONTENT_TYPE", "HTTP_X_A"} & second.keys()


def test_an_answer_has_its_length_and_says_whether_the_connection_stays() -> None:
    """Whatever the application says of the two."""
    app = answering("200 OK", [("Content-Length", "9"), ("Connection", "upgrade"), ("X-A", "1")], b"ab", b"c")

    head, body = ask(app, request(), keep=False)

    assert b"abc" == body
    assert head.startswith("HTTP/1.1 200 OK\r\n")
    assert 1 == head.count("Content-Length: 3")
    assert 1 == head.lower().count("content-length")
    assert "Connection: close" in head
    assert "upgrade" not in head
    assert "X-A: 1" in head
    assert "Connection: keep-alive" in ask(app, request())[0]


@pytest.mark.parametrize(
    ("method", "status", "has_length"), [("HEAD", "200 OK", True), ("GET", "204 No Content", False)]
)
def test_where_there_is_no_body_its_length_is_the_application_s(
    method: str, status: str, has_length: bool
) -> None:
    """The length of what a GET would get, or none."""
    headers = [("Content-Length", "3")] if has_length else []

    head, body = ask(answering(status, headers), request(method))

    assert b"" == body
    assert has_length == ("Content-Length: 3" in head)


@pytest.mark.parametrize("value", ["1\r\nSet-Cookie: a=b", "1\r\n\r\nbody", "1\nX: y", "1\rX: y", "1\0"])
def test_no_header_can_begin_another(value: str) -> None:
    """A line break in a header is an error, not two headers."""
    with pytest.raises(ValueError, match="line break"):
        ask(answering("200 OK", [("X-A", value)], b"ok"), request())


def test_what_the_application_returns_is_closed() -> None:
    """Also if reading it fails."""

    class Content:
        closed = False

        def __iter__(self) -> Iterable[bytes]:
            yield b"a"
            raise RuntimeError

        def close(self) -> None:
            self.closed = True

    content = Content()

    def app(_environ: Any, start_response: Callable[..., Any]) -> Any:
        start_response("200 OK", [])
        return content

    with pytest.raises(RuntimeError):
        ask(app, request())
    assert content.closed
