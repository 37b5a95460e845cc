"""A copy of the project to run for real: its stages, DVC and git, on a small ratings file."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from dvc.utils.hydra import compose_and_dump

from stages.forking.start import forking

PROJECT = Path(__file__).parents[1]
RATINGS = "ratings.csv"
BYTECODE = "PYTHONDONTWRITEBYTECODE"
DEADLINE = 120.0  # seconds that a stage may take to come to a point, and to end
# What a direct run and a run inside DVC both take: the small file, and a sweep of one point each.
SMALL = (
    "data=csv",
    f"data.path={RATINGS}",
    "data.scale=[1,5]",
    "data.relevance_threshold=4",
    "~points",  # conf/points/default.yaml, so that the axes are empty
    "points.baseline.kind=[bias]",
    "points.knn.kind=[item]",
    "points.mf.kind=[biased]",
    "points.mf.dim=[4]",
    "leak.methods=[knn/item]",
    "backtest.windows=2",
    "mf.lr=0.02",
    "mf.epochs=4",
    "mf.batch_size=256",
    "mf.patience=9",
    "device=cpu",
)
DIRECT = ("mf.dim=4",)  # of a direct run; in DVC the points say it
MF = "mf/biased-dim4-seed0"
# What dvc.yaml starts a stage with, so that it reads params.yaml and writes to the checkout.
INSIDE = (
    "--config-dir=.",
    "--config-name=params",
    "hydra.run.dir=.",
    "hydra.output_subdir=null",
    "hydra/job_logging=stdout",
)
OUTPUTS = ("data", "models", "results")
OF_RUNS = ("dvc.lock", "results/metrics.json")  # in git, and of the project's own last run
BESIDE = ("benchmarks/", "docs/", "tests/")  # half of the project's files, which no stage needs
# Folders whose files are replaced, but never written to, so that copies may share them.
REPLACED = {".git/objects", ".dvc/cache", "__pycache__"}

Finished = subprocess.CompletedProcess[str]


@dataclass(frozen=True)
class Checkout:
    """A folder with the project's files, not the ones that its stages write."""

    path: Path

    @classmethod
    def make(cls, path: Path) -> Checkout:
        """Copy what runs of the working tree, with a git repository and ratings of its own."""
        listed = _run(
            ["git", "ls-files", "-co", "--exclude-standard"], PROJECT, environment_of(PROJECT)
        )
        for name in listed.stdout.splitlines():
            left = name in OF_RUNS or name.startswith(BESIDE)
            if not left and (PROJECT / name).is_file():
                (path / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(PROJECT / name, path / name)
        new = cls(path)
        new._take_kernels(PROJECT)
        write_ratings(path / RATINGS)
        new.compose()
        for arguments in (("init", "--quiet"), ("add", "."), ("commit", "--quiet", "-m", "copy")):
            assert new.run("git", *arguments).returncode == 0
        return new

    def copy(self, path: Path, *, runs: bool = False) -> Checkout:
        """The same files, DVC's cache and checkpoints included, elsewhere; tracked ``runs`` too."""

        def left(folder: str, names: list[str]) -> list[str]:
            others = runs or Path(folder) != self.path / "logs"
            return [] if others else [name for name in names if name.startswith("wandb")]

        def take(source: str, target: str) -> None:
            shared = any(f"/{folder}/" in source for folder in REPLACED)
            (os.link if shared else shutil.copy2)(source, target)

        shutil.copytree(self.path, path, ignore=left, copy_function=take)
        new = Checkout(path)
        new._take_kernels(self.path, os.link)
        return new

    def _take_kernels(
        self, origin: Path, take: Callable[[str, str], object] = shutil.copy2
    ) -> None:
        """Have Numba find there what it compiled at ``origin``, which saves half a minute.

        It files its cache by the SHA-1 of the source folder's path.
        """
        package = Path("src", "cofilter")
        for folder in {path.parent for path in (origin / package).rglob("*.py")}:
            mine = self.path / folder.relative_to(origin)
            names = [
                f"{each.name}_{hashlib.sha1(str(each).encode()).hexdigest()}"
                for each in (folder, mine)
            ]
            for cache in (origin / package / "__pycache__" / "kernels").glob(f"*/{names[0]}"):
                copy = self.path / cache.relative_to(origin).with_name(names[1])
                shutil.copytree(cache, copy, copy_function=take)

    def compose(self, *overrides: str) -> None:
        """Write params.yaml for the small data with further overrides."""
        where = str(self.path / "params.yaml"), str(self.path / "conf")
        compose_and_dump(*where, None, "config", "", [*SMALL, *overrides])

    def run(
        self,
        *command: str,
        answers: str | None = None,
        tracking: str = "disabled",
        real: bool = False,
    ) -> Finished:
        """Run a command in the checkout; ``answers`` are what it reads from its input.

        ``tracking`` is the mode of stages whose configuration names none. Python and DVC, and the
        stages that it starts, are children of a fork server (`stages.forking`) unless ``real``.
        """
        environment = environment_of(self.path) | {"WANDB_MODE": tracking}
        if not real:
            environment = forking(environment)
            command = tuple("python" if word == sys.executable else word for word in command)
        return _run(list(command), self.path, environment, answers)

    def dvc(self, *arguments: str, tracking: str = "disabled") -> Finished:
        """Run DVC and insist that it succeeds."""
        found = self.run(sys.executable, "-m", "dvc", *arguments, tracking=tracking)
        assert found.returncode == 0, found.stdout + found.stderr
        return found

    def command(self, name: str, *overrides: str, inside: bool = False) -> list[str]:
        """How a stage is started, by DVC or by hand; ``train_<family>`` as dvc.yaml names it."""
        how = INSIDE if inside else (*SMALL, *DIRECT)
        script, _, family = name.partition("_")
        family_of = [f"family={family}"] if family else []  # train_mf: the one script's family
        return [sys.executable, f"src/stages/{script}.py", *how, *family_of, *overrides]

    def stage(self, name: str, *overrides: str, inside: bool = False) -> Finished:
        """Run a stage to its end, well or not."""
        return self.run(*self.command(name, *overrides, inside=inside))

    def start(self, name: str, *overrides: str) -> subprocess.Popen[str]:
        """Start a stage as DVC would; what it prints goes to one pipe."""
        return self.start_command(*self.command(name, *overrides, inside=True))

    def start_command(self, *command: str) -> subprocess.Popen[str]:
        """Start a command, in a process group of its own; what it prints goes to one pipe."""
        return subprocess.Popen(
            command,
            cwd=self.path,
            env=environment_of(self.path),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def stopped_when(
        self, ready: Callable[[], bool], number: int, name: str, *overrides: str
    ) -> tuple[int, str]:
        """Start a stage and send a signal as soon as it is ready; exit code and printed text.

        It is frozen and looked at again before the signal: what was seen is what is hit.
        """
        process = self.start(name, *overrides)
        end = time.monotonic() + DEADLINE
        try:
            while True:
                if ready():
                    process.send_signal(signal.SIGSTOP)
                    os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
                    if ready():
                        break
                    process.send_signal(signal.SIGCONT)
                if process.poll() is not None:
                    raise AssertionError(f"{name} ended too soon: {process.communicate()[0]}")
                assert time.monotonic() < end
                time.sleep(0.0005)
            process.send_signal(number)
            process.send_signal(signal.SIGCONT)
            printed, _ = process.communicate(timeout=DEADLINE)
        finally:
            process.kill()
        return process.returncode, printed

    def model(self, name: str = MF) -> dict[str, bytes]:
        """Content of each file of a model's folder."""
        folder = self.path / "models" / name
        return {path.name: path.read_bytes() for path in folder.iterdir()}

    def outputs(self) -> dict[str, str]:
        """Hash of every file that DVC's stages write."""
        files = [path for top in OUTPUTS for path in (self.path / top).rglob("*") if path.is_file()]
        return {
            str(path.relative_to(self.path)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in files
        }

    def checkpoints(self) -> list[Path]:
        """Whole checkpoints, by fingerprint and epoch."""
        return sorted((self.path / "checkpoints").glob("*/*/epoch-*.checkpoint"))


def write_ratings(path: Path, users: int = 150, items: int = 80, seed: int = 0) -> None:
    """Some 4,000 ratings with structure; every user's spread over the whole period."""
    rng = np.random.default_rng(seed)
    pairs = np.argwhere(rng.random((users, items)) < 0.35)
    taste, trait = rng.normal(size=(users, 3)), rng.normal(size=(items, 3))
    score = 3.4 + (taste[pairs[:, 0]] * trait[pairs[:, 1]]).sum(axis=1) * 0.7
    score += rng.normal(size=len(pairs)) * 0.4
    table = pd.DataFrame(
        {
            "user_id": pairs[:, 0] + 1,
            "item_id": pairs[:, 1] + 1001,
            "rating": np.clip(np.round(score), 1, 5).astype(int),
            "timestamp": rng.integers(1_000_000_000, 1_100_000_000, len(pairs)),
        }
    )
    table.to_csv(path, index=False)


def kill(process: subprocess.Popen[str], number: int = signal.SIGKILL) -> int:
    """Send a signal and wait for the end; gives the exit code."""
    process.send_signal(number)
    process.communicate(timeout=60)
    return process.returncode


def ran(finished: Finished) -> list[str]:
    """The stages that DVC really started, in order."""
    lines = (finished.stdout + finished.stderr).splitlines()
    return [line.split("'")[1] for line in lines if line.startswith("Running stage '")]


def errors(finished: Finished) -> list[str]:
    """Lines on stderr, without the note that params.yaml is not what conf/ composes to."""
    lines = finished.stderr.splitlines()
    return [line for line in lines if not line.startswith("note: params.yaml differs")]


def environment_of(root: Path) -> dict[str, str]:
    """Ours without what names trackers, another checkout's code, or a `make` around us.

    Modules are compiled once, also where bytecode is not wanted in the project.
    """
    others = ("WANDB", "DVC", "GIT", "HYDRA", "MAKE", "MFLAGS", "ARGS", BYTECODE)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(others)}
    name = {"GIT_AUTHOR_NAME": "test", "GIT_AUTHOR_EMAIL": "test@example.org"}
    name |= {"GIT_COMMITTER_NAME": "test", "GIT_COMMITTER_EMAIL": "test@example.org"}
    return (
        kept
        | name
        | {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": "src",
            "DVC_NO_ANALYTICS": "1",
            "DVC_SITE_CACHE_DIR": str(root.parent / ".dvc-site"),
            "WANDB_MODE": "disabled",
        }
    )


def _run(
    command: list[str], folder: Path, environment: dict[str, str], answers: str | None = None
) -> Finished:
    return subprocess.run(
        command,
        cwd=folder,
        env=environment,
        input=answers,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
