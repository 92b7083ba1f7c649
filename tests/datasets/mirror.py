"""A mirror on this machine: an HTTP server that serves files, and what a bad one makes of them."""

import contextlib
import hashlib
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from strag.datasets.download import RemoteFile


def remote_file(name, content):
    """What the catalogue says about a file with this content."""
    return RemoteFile(name, len(content), hashlib.sha256(content).hexdigest())


def whole(send, content):
    send(200, content)


def corrupted(send, content):
    send(200, content[:-1] + bytes([content[-1] ^ 1]))


def short(send, content):
    """A page that says how short it is."""
    send(200, content[: len(content) // 2])


def broken_off(send, content):
    """A connection that ends before the bytes that were announced."""
    send(200, content[: len(content) // 2], length=len(content))


def endless(send, _):
    send(200, bytes(1 << 16), times=10_000)


def missing(send, _):
    send(404, b"<html>not here</html>")


def failing(send, _):
    send(500, b"")


def circular(send, _):
    send(302, b"", headers={"Location": "/around"})


def hanging(send, _):
    time.sleep(2)
    send(200, b"")


class Mirror:
    """`files` (path to content) served as `behave` says; `asked` are the paths asked for, in order."""

    def __init__(self, files, behave=whole):
        self.files, self.behave, self.asked = files, behave, []

    def __enter__(self):
        mirror = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                mirror.asked.append(self.path)
                content = mirror.files.get(self.path)
                behave = mirror.behave if content is not None or mirror.behave is circular else missing
                with contextlib.suppress(ConnectionError):
                    behave(self.send, content)

            def send(self, status, body, length=None, times=1, headers=None):
                self.send_response(status)
                self.send_header("Content-Length", str(length or times * len(body)))
                for name, value in (headers or {}).items():
                    self.send_header(name, value)
                self.end_headers()
                for _ in range(times):
                    self.wfile.write(body)

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        self.host = f"127.0.0.1:{self._server.server_port}"
        self.address = f"http://{self.host}/"
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
