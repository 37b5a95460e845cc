"""A forked child is what a process of its own would be."""

from __future__ import annotations

import json
import os
import pty
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from stages.forking.start import ADDRESS, FORKS, forking
from tests.checkout import Checkout, environment_of

pytestmark = pytest.mark.skipif(not FORKS, reason="no forks on this system")

TELL = """
import json, os, signal, sys, threading, __main__
import cofilter
found = {
    "cofilter": cofilter.WHERE, "file": cofilter.__file__, "first": sys.path[0], "argv": sys.argv,
    "folder": os.getcwd(), "tracking": os.environ["WANDB_MODE"], "group": os.getpgrp(),
    "umask": os.umask(0), "executable": sys.executable, "name": __name__, "main": __main__.__file__,
    "signals": [str(signal.getsignal(n)) for n in (2, 15, 17)], "read": sys.stdin.read(),
    "threads": len(threading.enumerate()), "encoding": sys.stdout.encoding, "flags": str(sys.flags),
    "libraries": "pandas" in sys.modules, "open": len(os.listdir("/proc/self/fd")) - 1,
}
print(json.dumps(found))
"""


def checkout(path: Path, where: str) -> Checkout:
    """A folder with a cofilter of its own, and a script and a module that tell what they see."""
    package = path / "src" / "cofilter"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(f"WHERE = {where!r}\n", encoding="utf-8")
    for place in (path / "src" / "tell.py", path / "scripts" / "tell.py"):
        place.parent.mkdir(exist_ok=True)
        place.write_text(TELL, encoding="utf-8")
    return Checkout(path)


@pytest.fixture
def here(tmp_path: Path) -> Checkout:
    return checkout(tmp_path / "here", "here")


def script(here: Checkout, text: str) -> str:
    (here.path / "script.py").write_text(text, encoding="utf-8")
    return "script.py"


@pytest.mark.parametrize("command", [("scripts/tell.py", "a", "--b"), ("-m", "tell", "-x", "c d")])
def test_a_child_sees_what_a_process_of_its_own_sees(
    command: tuple[str, ...], here: Checkout
) -> None:
    """Also after another checkout's child."""
    there = checkout(here.path.parent / "there", "there")
    assert json.loads(there.run(sys.executable, *command).stdout)["cofilter"] == "there"
    seen = [
        json.loads(here.run(sys.executable, *command, answers="yes", real=real).stdout)
        for real in (False, True)
    ]
    assert [each.pop("libraries") for each in seen] == [True, False]
    assert seen[0] == seen[1]
    assert (seen[0]["cofilter"], seen[0]["read"]) == ("here", "yes")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", 0),
        ("import sys; sys.exit(3)", 3),
        ("import sys; sys.exit('words')", 1),
        ("import sys; print('x'); sys.exit(None)", 0),
        ("1 / 0", 1),
        ("raise KeyboardInterrupt", -signal.SIGINT),
        ("import os; os.kill(os.getpid(), 9)", -signal.SIGKILL),
        ("import os; os.kill(os.getpid(), 15)", -signal.SIGTERM),
        ("import atexit; atexit.register(print, 'end')", 0),
        ("import threading; threading.Timer(0.1, print, ['late']).start()", 0),
        ("import no_such_module", 1),
        ("if x", 1),
    ],
)
def test_it_ends_as_a_process_of_its_own_ends(text: str, code: int, here: Checkout) -> None:
    path = script(here, text)
    forked, real = (here.run(sys.executable, path, real=real) for real in (False, True))
    assert (forked.returncode, forked.stdout) == (real.returncode, real.stdout)
    assert forked.returncode == code
    assert forked.stderr.splitlines()[-1:] == real.stderr.splitlines()[-1:]


def test_each_has_random_numbers_of_its_own(here: Checkout) -> None:
    path = script(here, "import random, numpy; print(random.random(), numpy.random.random())")
    drawn = " ".join(here.run(sys.executable, path).stdout for _ in range(2)).split()
    assert len(set(drawn)) == 4


def test_each_has_temporary_folders_of_its_own(here: Checkout) -> None:
    """W&B makes one when it is imported, keeps tables in it, and removes it when it ends."""
    text = "import os; from wandb.sdk.data_types._private import MEDIA_TMP; "
    path = script(here, text + "print(os.path.isdir(MEDIA_TMP.name), MEDIA_TMP.name)")
    told = [here.run(sys.executable, path).stdout.split() for _ in range(2)]
    assert [found for found, _ in told] == ["True", "True"]
    assert len({name for _, name in told}) == 2
    assert not any(Path(name).exists() for _, name in told)


@pytest.mark.parametrize(
    ("command", "variables"),
    [
        (["python", "-c", "import sys; print('pandas' in sys.modules)"], {}),
        (["python", "script.py"], {"PYTHONHASHSEED": "7"}),
        (["python", "script.py"], {"NUMBA_NUM_THREADS": "1"}),
        (["setsid", "--wait", "sh", "-c", "python script.py; true"], {}),
        (["sh", "-c", "python script.py"], None),
    ],
    ids=["an option", "a hash seed", "threads", "another session", "a shell"],
)
def test_what_a_child_cannot_be_is_run_by_the_real_interpreter(
    command: list[str], variables: dict[str, str] | None, here: Checkout
) -> None:
    script(here, "import sys; print('pandas' in sys.modules)")
    environment = forking(environment_of(here.path)) | (variables or {})
    done = subprocess.run(
        command, cwd=here.path, env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout == f"{variables is None}\n"


@pytest.mark.parametrize("name", ["python", sys.executable], ids=["forked", "real"])
def test_it_takes_a_session_and_open_files_of_its_own(name: str, here: Checkout) -> None:
    text = "import os, sys; print('pandas' in sys.modules, os.getsid(0) == os.getpid(), "
    script(here, text + "[os.read(n, 9) for n in (7, 5)])")
    for number in (5, 7):
        (here.path / f"file{number}").write_text(str(number), encoding="utf-8")
    command = f"exec setsid --wait {name} script.py 7<file7 5<file5"
    done = subprocess.run(
        ["sh", "-c", command],
        cwd=here.path,
        env=forking(environment_of(here.path)),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == f"{name == 'python'} True [b'7', b'5']\n"


def test_what_it_says_on_a_terminal_comes_at_once(here: Checkout) -> None:
    path = script(here, "import sys, time; print('pandas' in sys.modules); time.sleep(60)")
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        ["python", path], cwd=here.path, env=forking(environment_of(here.path)),
        stdin=theirs, stdout=theirs, stderr=theirs,
    ) as process:  # fmt: skip
        os.close(theirs)
        assert os.read(ours, 4) == b"True"
        process.terminate()
    os.close(ours)


WAITS = """
import os, signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))
print(os.getpid(), flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 7), (signal.SIGKILL, -9)])
def test_a_signal_to_the_command_reaches_the_child(number: int, code: int, here: Checkout) -> None:
    with subprocess.Popen(
        ["python", script(here, WAITS)],
        cwd=here.path,
        env=forking(environment_of(here.path)),
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        child = int(process.stdout.readline())
        assert child != process.pid
        process.send_signal(number)
        assert process.wait(timeout=30) == code
    end = time.monotonic() + 30
    while Path(f"/proc/{child}").exists():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_client_that_is_killed_early_leaves_the_server_to_others(here: Checkout) -> None:
    address = forking(environment_of(here.path))[ADDRESS]
    for said in (b"", bytes(4), (100).to_bytes(8, "big"), (100).to_bytes(8, "big") + b"half"):
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(address)
            client.sendall(said)
    assert here.run(sys.executable, script(here, "print('on')")).stdout == "on\n"


def test_dvc_and_the_stages_that_it_starts_are_children(here: Checkout) -> None:
    """Found on PATH, by DVC's shell too."""
    text = "import pathlib, sys; pathlib.Path('out').write_text(str('pandas' in sys.modules))"
    stage = {"cmd": f"python {script(here, text)}", "outs": ["out"]}
    (here.path / "dvc.yaml").write_text(json.dumps({"stages": {"one": stage}}), encoding="utf-8")
    assert here.run("dvc", "init", "--no-scm").returncode == 0
    assert "Running stage 'one'" in here.dvc("repro").stdout
    assert (here.path / "out").read_text() == "True"
