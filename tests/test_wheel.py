"""The wheel as a user installs it: alone, in an empty environment, without any extra.

It downloads the core dependencies, so it runs where it is asked for: `make wheel`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
import venv
import zipfile
from pathlib import Path

import pytest

from tests.release.films import als, exported, log

PROJECT = Path(__file__).parents[1]
PINS = ("--constraint", str(PROJECT / "constraints.txt"))

pytestmark = pytest.mark.skipif(
    "COFILTER_TEST_WHEEL" not in os.environ, reason="downloads dependencies: run `make wheel`"
)

# Run in the empty environment, in a folder that has nothing of the project.
FIT_AND_LOAD = """
import json, sys, time
started = time.perf_counter()
import cofilter
seconds = time.perf_counter() - started
import numpy as np, pandas as pd
rng = np.random.default_rng(0)
user, item = np.nonzero(rng.random((60, 40)) < 0.4)
rating = rng.integers(1, 6, len(user))
table = pd.DataFrame({"user_id": user, "item_id": item + 100, "rating": rating})
equal = {}
for name in ("ItemKNN", "UserKNN", "EASE", "ImplicitALS", "ExplicitALS", "MatrixFactorization",
             "SVDPlusPlus", "BPR", "BayesianFactorization", "Popularity", "GraphFilter"):
    model = getattr(cofilter, name)().fit(table)
    model.save(name)
    before, after = (each.recommend([0, 5], 3) for each in (model, cofilter.load(name)))
    equal[name] = all(np.array_equal(a, b) for a, b in zip(before, after))
try:
    cofilter.ImplicitNetwork().fit(table)
except Exception as error:
    refusal = str(error)
absent = [name for name in ("torch", "dvc", "hydra", "wandb") if name not in sys.modules]
print(json.dumps({"equal": equal, "absent": absent, "refusal": refusal, "seconds": seconds}))
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    # By way of the source archive: a wheel built in place takes along what lies in build/.
    run(sys.executable, "-m", "build", "--outdir", str(folder), str(PROJECT))
    (built,) = folder.glob("*.whl")
    return built


def run(*command: str, cwd: Path | None = None) -> str:
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        command, cwd=cwd, env=kept, capture_output=True, text=True, check=False, timeout=600
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_it_holds_the_package_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0].split("-")[0] for name in names} == {"cofilter"}
    for wanted in ("py.typed", "__init__.pyi", "report/page.html.j2", "serving/page/index.html"):
        assert f"cofilter/{wanted}" in names
    assert not [name for name in names if "__pycache__" in name]


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Of an environment with the wheel and its core dependencies alone."""
    folder = tmp_path_factory.mktemp("empty")
    venv.create(folder, with_pip=True)
    python = str(folder / "bin" / "python")
    run(python, "-m", "pip", "install", "--quiet", *PINS, str(wheel))
    return python


def test_alone_it_fits_saves_loads_and_recommends(python: str, tmp_path: Path) -> None:
    found = json.loads(run(python, "-c", FIT_AND_LOAD, cwd=tmp_path).splitlines()[-1])
    assert all(found["equal"].values()), found
    assert found["absent"] == ["torch", "dvc", "hydra", "wandb"]
    assert "pip install 'cofilter[torch]'" in found["refusal"]


def test_beside_an_exported_folder_it_answers_and_serves_the_page(
    python: str, wheel: Path, tmp_path: Path
) -> None:
    """On the terminal with the core alone; the service and its page with one extra."""
    exported(als(), tmp_path / "films")
    command = str(Path(python).with_name("cofilter"))
    told = json.loads(run(command, "recommend", "-u", "7", "--json", cwd=tmp_path / "films"))
    assert [row["item"] for row in told] == als().recommend(7)[0][0].tolist()
    log().head(5).assign(user_id=900).drop_duplicates("item_id").to_csv(tmp_path / "new.csv")
    run(command, "update", "films", "new.csv", "updated", "--no-factors", cwd=tmp_path)
    serve = [command, "serve", "films", "--port", "0"]
    refused = subprocess.run(serve, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert refused.returncode == 2
    assert "pip install 'cofilter[serve]'" in refused.stderr
    run(python, "-m", "pip", "install", "--quiet", *PINS, f"{wheel}[serve]")
    service = subprocess.Popen(serve, cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    try:
        assert service.stderr is not None
        ready = json.loads(service.stderr.readline())
        with urllib.request.urlopen(ready["url"]) as page:
            assert b"<h1" in page.read()
        ask = urllib.request.Request(
            f"{ready['url']}/recommend", b'{"user": 7}', {"content-type": "application/json"}
        )
        with urllib.request.urlopen(ask) as answer:
            assert [each["item"] for each in json.load(answer)["items"]] == [
                row["item"] for row in told
            ]
    finally:
        service.terminate()
        service.wait(timeout=60)
