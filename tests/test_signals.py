"""A signal that ends strag: it cleans up, keeps the finished part, and dies by it, as a shell expects."""

import contextlib
import importlib
import os
import signal
import subprocess
import sys
import time

import click
import pytest

from strag import cli, kinds, signals
from strag.files.dataset import write_dataset
from tests.conftest import made_up
from tests.files.makers import dataset_file, images
from tests.shell import STRAG as SHELL_STRAG
from tests.shell import files_in

STRAG = [sys.executable, "-m", "strag"]
LONG = ["train", "d", "--runs", "1", "--epochs", "2000000", "--threads", "1", "-o", "h"]
pytestmark = pytest.mark.skipif(len(signals.ENDING) < 5, reason="a system with fewer signals")
LINES = {
    signal.SIGINT: "strag: interrupted\n",
    signal.SIGTERM: "strag: terminated\n",
    signal.SIGHUP: "strag: ended by SIGHUP\n",
    signal.SIGUSR1: "strag: ended by SIGUSR1\n",
    signal.SIGUSR2: "strag: ended by SIGUSR2\n",
}


def heard():
    """Let a process that is started take signals as from a terminal: jobs put behind ignore Ctrl-C."""
    for number in LINES:
        signal.signal(number, signal.SIG_DFL)


def wait_for(condition):
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.fixture
def none_ignored():
    """Signals as a terminal leaves them, where the tests run under nohup, which ignores one."""
    before = {number: signal.getsignal(number) for number in LINES}
    for number, handler in before.items():
        if handler is signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("none_ignored")
class TestInThisProcess:
    """What `main` answers to whoever calls it."""

    @pytest.mark.parametrize("number", LINES)
    def test_the_status_is_the_signals_and_the_old_handlers_come_back(self, capsys, monkeypatch, number):
        before = {ending: signal.getsignal(ending) for ending in LINES}
        monkeypatch.setattr(cli.LazyGroup, "get_command", lambda *_: signal.raise_signal(number))
        assert cli.main(["info"]) == 128 + number
        assert capsys.readouterr() == ("", LINES[number])
        assert {ending: signal.getsignal(ending) for ending in LINES} == before
        assert cli.main(["--version"]) == 0  # what is over is over

    def test_what_comes_again_while_it_cleans_up_changes_nothing(self, capsys, monkeypatch):
        cleaned = []

        def works(*_):
            try:
                signal.raise_signal(signal.SIGTERM)
            finally:
                for number in LINES:
                    signal.raise_signal(number)
                cleaned.append(True)

        monkeypatch.setattr(cli.LazyGroup, "get_command", works)
        assert cli.main(["info"]) == 128 + signal.SIGTERM
        assert capsys.readouterr() == ("", "strag: terminated\n")
        assert cleaned

    def test_long_after_the_first_it_ends_the_clean_up(self, capsys, monkeypatch):
        cleaned = []
        monkeypatch.setattr(signals, "SAME", 0)

        def works(*_):
            try:
                signal.raise_signal(signal.SIGTERM)
            finally:
                signal.raise_signal(signal.SIGINT)
                cleaned.append(True)

        monkeypatch.setattr(cli.LazyGroup, "get_command", works)
        assert cli.main(["info"]) == 128 + signal.SIGINT
        assert capsys.readouterr() == ("", "strag: interrupted\n")
        assert not cleaned

    @pytest.mark.parametrize("place", ["finalizer", "caught"])
    def test_an_exception_that_is_lost_is_raised_again(self, capsys, monkeypatch, place):
        class Doomed:
            def __del__(self):
                signal.raise_signal(signal.SIGTERM)

        def works(*_):
            if place == "finalizer":
                Doomed()
            else:
                with contextlib.suppress(BaseException):
                    signal.raise_signal(signal.SIGTERM)
            for _ in range(100):
                time.sleep(signals.AGAIN / 10)
            went_on.append(True)

        went_on = []
        hook, alarm = sys.unraisablehook, signal.getsignal(signal.SIGALRM)
        monkeypatch.setattr(cli.LazyGroup, "get_command", works)
        assert cli.main(["info"]) == 128 + signal.SIGTERM
        assert capsys.readouterr() == ("", "strag: terminated\n")
        assert not went_on
        assert (sys.unraisablehook, signal.getsignal(signal.SIGALRM)) == (hook, alarm)
        assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)

    @pytest.mark.parametrize("ends_at_once", [False, True])
    def test_an_import_is_finished_first(self, capsys, monkeypatch, tmp_path, ends_at_once):
        """torch aborts at some exceptions while it loads, and clears others."""

        def works(*_):
            importlib.import_module("that_gets_a_signal")
            done.append("imported")
            for _ in range(0 if ends_at_once else 100):
                time.sleep(signals.AGAIN / 10)
            done.append("went on")
            return click.Command("info", callback=lambda: done.append("ended"))

        done = []
        module = tmp_path / "that_gets_a_signal.py"
        module.write_text("import signal\nsignal.raise_signal(signal.SIGTERM)\n")
        monkeypatch.syspath_prepend(tmp_path)
        monkeypatch.setattr(cli.LazyGroup, "get_command", works)
        assert cli.main(["info"]) == 128 + signal.SIGTERM
        assert capsys.readouterr() == ("", "strag: terminated\n")
        assert done == ["imported", *(["went on", "ended"] if ends_at_once else [])]
        del sys.modules["that_gets_a_signal"]

    @pytest.mark.parametrize("translated", [False, True])
    def test_a_long_clean_up_is_not_interrupted_by_its_own_signal(self, capsys, monkeypatch, translated):
        cleaned = []

        def works(*_):
            try:
                try:
                    signal.raise_signal(signal.SIGTERM)
                except KeyboardInterrupt:
                    if translated:
                        raise ValueError from None
                    raise
            finally:
                for _ in range(30):
                    time.sleep(signals.AGAIN / 10)
                cleaned.append(True)

        monkeypatch.setattr(cli.LazyGroup, "get_command", works)
        assert cli.main(["info"]) == 128 + signal.SIGTERM
        assert capsys.readouterr() == ("", "strag: terminated\n")
        assert cleaned

    def test_one_that_is_ignored_stays_ignored(self, monkeypatch):
        before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
        try:
            monkeypatch.setattr(cli.LazyGroup, "get_command", lambda *_: signal.raise_signal(signal.SIGHUP))
            with contextlib.suppress(AttributeError):  # there is no command, but the signal did not end it
                assert cli.main(["info"]) != 128 + signal.SIGHUP
        finally:
            signal.signal(signal.SIGHUP, before)

    def test_steps_that_belong_together_are_not_parted(self):
        done = []

        def steps():
            with signals.held():
                with signals.held():
                    signal.raise_signal(signal.SIGUSR1)
                    done.append("inner")
                done.append("outer")
            done.append("after")

        before = signals.listen()
        try:
            with pytest.raises(signals.Interrupted) as caught:
                steps()
        finally:
            signals.restore(before)
        assert done == ["inner", "outer"]
        assert caught.value.number == signal.SIGUSR1


@pytest.fixture
def waiting(tmp_path):
    """A function that starts `strag data - -o out`: the process, and the byte for which it waits.

    The rest is more than a pipe holds: once it is written, strag is reading.
    """
    content = (tmp_path / dataset_file(tmp_path / "d", images(P=40_000))).read_bytes()
    started = []

    def start(preexec_fn=heard):
        process = subprocess.Popen(
            [*STRAG, "data", "-", "-q", "-o", "out"],
            cwd=tmp_path, stdin=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=preexec_fn,
        )  # fmt: skip
        started.append(process)
        process.stdin.write(content[:-1])
        process.stdin.flush()
        wait_for(lambda: list(tmp_path.glob(".strag-*.tmp")))
        return process, content[-1:]

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("number", LINES)
def test_it_leaves_nothing_behind_and_dies_by_the_signal(waiting, tmp_path, number):
    process, _ = waiting()
    process.send_signal(number)
    assert process.wait(30) == -number
    assert process.stderr.read().decode() == LINES[number]
    assert os.listdir(tmp_path) == ["d"]


def test_a_second_ctrl_c_is_no_traceback(waiting, tmp_path):
    process, _ = waiting()
    while process.poll() is None:
        process.send_signal(signal.SIGINT)
        time.sleep(0.002)
    assert process.returncode == -signal.SIGINT
    assert process.stderr.read() == b"strag: interrupted\n"
    assert os.listdir(tmp_path) == ["d"]


def test_under_nohup_it_goes_on(waiting, tmp_path):
    process, rest = waiting(preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
    process.send_signal(signal.SIGHUP)
    _, text = process.communicate(rest, 30)
    assert (process.returncode, text) == (0, b"")
    assert sorted(os.listdir(tmp_path)) == ["d", "out"]


@pytest.mark.parametrize(
    "delay", [0.1, *(pytest.param(delay, marks=pytest.mark.slow) for delay in (0.03, 0.06, 0.15, 0.2, 0.3))]
)
def test_while_it_is_loading(tmp_path, delay):
    """Python itself, before strag's first line, answers SIGTERM alike and is not tried with Ctrl-C."""
    dataset_file(tmp_path / "d")
    process = subprocess.Popen([*STRAG, *LONG], cwd=tmp_path, stderr=subprocess.PIPE, preexec_fn=heard)
    time.sleep(delay)
    process.send_signal(signal.SIGTERM)
    _, text = process.communicate(timeout=60)
    assert process.returncode == -signal.SIGTERM
    assert text in (b"", b"strag: terminated\n")
    assert files_in(tmp_path) == ["d"]


def test_while_torch_loads_numpy(tmp_path):
    """torch would clear an exception that occurs there, and go on without numpy."""
    script = """if True:
    import os, signal, sys
    from strag.__main__ import run

    class Finder:
        def find_spec(self, name, *_):
            frame = sys._getframe()
            while frame is not None and frame.f_globals["__name__"] != "torch":
                frame = frame.f_back
            if name.startswith("numpy.") and frame is not None and sys.meta_path[0] is self:
                del sys.meta_path[0]
                os.kill(os.getpid(), signal.SIGTERM)

    sys.meta_path.insert(0, Finder())
    run()
    """
    dataset_file(tmp_path / "d")
    command = [sys.executable, "-c", script, *LONG]
    result = subprocess.run(
        command, cwd=tmp_path, capture_output=True, preexec_fn=heard, timeout=60, check=False
    )
    assert (result.returncode, result.stderr) == (-signal.SIGTERM, b"strag: terminated\n")
    assert files_in(tmp_path) == ["d"]


def test_ctrl_c_stops_a_loop_of_the_shell(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    script = f"for i in 1 2 3; do {SHELL_STRAG} data - -q -o out$i < pipe; done; echo went on"
    process = subprocess.Popen(
        ["bash", "-c", script], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        start_new_session=True, preexec_fn=heard,
    )  # fmt: skip
    with open(tmp_path / "pipe", "wb"):
        wait_for(lambda: list(tmp_path.glob(".strag-*.tmp")))
        os.killpg(process.pid, signal.SIGINT)
        out, text = process.communicate(timeout=60)
    assert (out, text) == (b"", b"strag: interrupted\n")
    assert process.returncode == -signal.SIGINT
    assert files_in(tmp_path) == ["pipe"]


def train_until(folder, number):
    """Start a long training, end it by a signal once it has trained for a while; the finished process."""
    write_dataset(str(folder / "d"), made_up(), {})
    command = [*STRAG, "train", "d", "--runs", "3", "--epochs", "2000000", "--record-every", "50"]
    command += ["--test-every", "never", "--width", "6", "--threads", "1", "-o", "h"]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=folder, preexec_fn=heard
    )
    wait_for(lambda: any(name.startswith(".strag-") for name in files_in(folder)))
    time.sleep(1.5)
    process.send_signal(number)
    out, text = process.communicate(timeout=60)
    return subprocess.CompletedProcess(command, process.returncode, out, text.decode())


@pytest.mark.parametrize(
    "number",
    [
        signal.SIGTERM,
        *(pytest.param(n, marks=pytest.mark.slow) for n in LINES if n not in (signal.SIGINT, signal.SIGTERM)),
    ],
)
def test_every_one_keeps_the_finished_part_of_a_training(tmp_path, number):
    """As Ctrl-C does, see tests/commands/test_train.py."""
    result = train_until(tmp_path, number)
    assert result.returncode == -number
    assert files_in(tmp_path) == ["d", "h.partial"]
    history = kinds.read(tmp_path / "h.partial")
    assert history.updates[-1] == history.meta["interrupted"] > 0
    assert (history.train_loss > 0).all()
    first, last = result.stderr.splitlines(keepends=True)
    assert first.startswith("strag: h.partial: holds the finished part, 3 runs up to update")
    assert last == LINES[number]
