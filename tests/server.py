"""Processes of strag that start quickly: a server has loaded the libraries, and forks for each of them.

Loading torch takes longer than most of what the tests do with it. Every call is a process of its own all the
same, with its own standard streams, folder, environment and status. What is about the start of Python, about
threads, or about random hashes needs a fresh process, see `afresh` in tests/shell.py.
"""

import atexit
import contextlib
import gc
import json
import os
import signal
import socket
import subprocess
import sys
import threading

LOADED = """
import matplotlib.figure, matplotlib.backends.backend_agg, numpy, PIL.PngImagePlugin, scipy.stats, torch
import strag.cli
from strag.cli import COMMANDS
for name in COMMANDS:
    __import__(f"strag.commands.{name.replace('-', '_')}")
"""
START = (
    "import socket, sys; sys.path[:] = {!r}; from tests import server; server.serve(socket.socket(fileno={}))"
)
LARGEST = 1 << 18  # bytes of a call, most of them its environment


class Server:
    """The server of this process. It is started by the first call, and ends with this process."""

    def __init__(self):
        self.socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        command = [sys.executable, "-c", START.format(sys.path, theirs.fileno())]
        self.process = subprocess.Popen(command, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL)
        theirs.close()

    def run(self, arguments, stdin, cwd, timeout):
        """Run `strag ARGUMENTS` with bytes on a pipe as its stdin: CompletedProcess with bytes."""
        pipes = [os.pipe() for _ in range(3)]
        theirs = [pipes[0][0], pipes[1][1], pipes[2][1]]
        call = json.dumps([arguments, str(cwd or os.getcwd()), dict(os.environ)]).encode()
        socket.send_fds(self.socket, [call], theirs)
        for number in theirs:
            os.close(number)
        texts = [b"", b""]
        readers = [
            threading.Thread(target=_read, args=(texts, at, pipe)) for at, (pipe, _) in enumerate(pipes[1:])
        ]
        for reader in readers:
            reader.start()
        pid = int(self.socket.recv(LARGEST))
        timer = threading.Timer(timeout, os.kill, (pid, signal.SIGKILL))
        timer.start()
        try:
            with open(pipes[0][1], "wb", buffering=0) as pipe:
                rest = memoryview(stdin)
                while rest:
                    rest = rest[pipe.write(rest) :]
        except BrokenPipeError:
            pass
        status = int(self.socket.recv(LARGEST))
        timer.cancel()
        for reader in readers:
            reader.join()
        return subprocess.CompletedProcess(["strag", *arguments], status, *texts)


def _read(texts, at, number):
    with open(number, "rb") as pipe:
        texts[at] = pipe.read()


def serve(connection):
    """Run the calls that arrive, one after the other, until the other end is closed."""
    exec(LOADED, {})
    gc.collect()
    gc.freeze()
    while True:
        call, streams, *_ = socket.recv_fds(connection, LARGEST, 3)
        if not call:
            return
        pid = os.fork()
        if not pid:
            connection.close()
            _become(*json.loads(call), streams)
        for number in streams:
            os.close(number)
        connection.send(str(pid).encode())
        _, status = os.waitpid(pid, 0)
        connection.send(str(os.waitstatus_to_exitcode(status)).encode())


def _become(arguments, folder, environment, streams):
    """Become the process `strag ARGUMENTS`; it does not return."""
    for target, number in enumerate(streams):
        os.dup2(number, target)
        os.close(number)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    for name, mode, number in (("stdin", "r", 0), ("stdout", "w", 1), ("stderr", "w", 2)):
        errors = "backslashreplace" if name == "stderr" else "strict"
        stream = open(number, mode, encoding="utf-8", errors=errors, closefd=False)  # noqa: SIM115
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)
    sys.argv = ["strag", *arguments]
    from strag.__main__ import run

    status = 1
    try:
        run()
    except SystemExit as error:
        status = error.code
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        atexit._run_exitfuncs()
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError):
                stream.flush()
        os._exit(status or 0)  # without taking the libraries apart, which takes long
