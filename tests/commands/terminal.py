"""Running strag where a terminal, or more input than anybody wants, is at one of its ends."""

import os
import pty
import subprocess
import sys

STRAG = [sys.executable, "-m", "strag"]


def at_terminal(end, *arguments):
    """Run strag with `end` ('stdin' or 'stdout') at a terminal: status, stderr, and what the terminal got."""
    ours, theirs = pty.openpty()
    ends = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, end: theirs}
    command = [*STRAG, *map(str, arguments)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, **ends) as process:
        os.close(theirs)
        shown = b""
        try:
            while part := os.read(ours, 1 << 16):
                shown += part
        except OSError:  # the terminal has nobody at its other side any more
            pass
        os.close(ours)
        error = process.stderr.read()
        return process.wait(60), error, shown.decode()


def fed(chunk, total, *arguments):
    """Feed strag up to `total` bytes of stdin: status, stderr, and how many of them left the feeder."""
    command = [*STRAG, *map(str, arguments)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    ) as process:
        given = 0
        try:
            while given < total:
                given += os.write(process.stdin.fileno(), chunk)
        except BrokenPipeError:
            pass
        process.stdin.close()
        return process.wait(60), process.stderr.read().decode(), given
