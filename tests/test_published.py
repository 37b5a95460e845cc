"""Published splits: a folder of files, a part column, no headers.

`tests.test_clicks` takes one through the whole pipeline.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pandas as pd
import pytest

from cofilter.core.parts import PARTS, load_parts
from tests.checkout import RATINGS, Checkout, errors, ran

FOLDER, ONE_FILE = "published", "parts.csv"
QUICK = ("split=given", "points.mf.kind=[]")
HEADERLESS = (
    *QUICK,
    f"data.path={FOLDER}",
    "data.has_header=false",
    r'data.delimiter="\t"',
    "data.columns={user: 1, item: 2, rating: 3, timestamp: null}",
)


@pytest.fixture
def parts(checkout: Checkout) -> dict[str, pd.DataFrame]:
    """The small ratings, cut in order of time into three."""
    table = pd.read_csv(checkout.path / RATINGS).sort_values("timestamp", ignore_index=True)
    cuts = [int(len(table) * share) for share in (0, 0.8, 0.9, 1)]
    return {
        name: table[first:end].reset_index(drop=True)
        for name, first, end in zip(PARTS, cuts[:-1], cuts[1:], strict=True)
    }


def write_folder(checkout: Checkout, parts: dict[str, pd.DataFrame], **how: object) -> Path:
    folder = checkout.path / FOLDER
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name, table in parts.items():
        table.to_csv(folder / f"{name}.txt", index=False, **how)
    return folder


def audit(checkout: Checkout) -> dict[str, object]:
    found: dict[str, object] = json.loads((checkout.path / "data/split/audit.json").read_text())
    return found


def assert_split_is(checkout: Checkout, wanted: dict[str, pd.DataFrame]) -> None:
    for name, table in load_parts(checkout.path / "data" / "split").named():
        pd.testing.assert_frame_equal(table, wanted[name].astype({"rating": "float32"}))


def test_a_folder_of_three_files_and_one_file_with_a_part_column(
    checkout: Checkout, parts: dict[str, pd.DataFrame]
) -> None:
    """Both say the same, so that the second one trains nothing anew."""
    write_folder(checkout, parts)
    checkout.compose(*QUICK, f"data.path={FOLDER}")
    assert ran(checkout.dvc("repro", "check")) == ["download", "filter", "split", "check"]
    assert_split_is(checkout, parts)
    assert (audit(checkout)["time_order"], audit(checkout)["temporal"]) == ("global", True)
    due = json.loads(checkout.dvc("status", "--json").stdout)

    split = {name: hash_ for name, hash_ in checkout.outputs().items() if "split" in name}
    together = pd.concat([table.assign(fold=name) for name, table in parts.items()])
    together.to_csv(checkout.path / ONE_FILE, index=False)
    checkout.compose(*QUICK, f"data.path={ONE_FILE}", "data.columns.part=fold")
    assert set(ran(checkout.dvc("repro", "check"))) <= {"download", "filter", "check"}
    still = json.loads(checkout.dvc("status", "--json").stdout)
    assert {name: why for name, why in still.items() if name.startswith(("split", "train"))} == {
        name: why for name, why in due.items() if name.startswith(("split", "train"))
    }
    assert {name: hash_ for name, hash_ in checkout.outputs().items() if "split" in name} == split

    changed = pd.concat([parts["train"], parts["test"].head(1)])
    write_folder(checkout, parts | {"train": changed})
    before = checkout.outputs()
    checkout.compose(*QUICK, f"data.path={FOLDER}")
    refused = checkout.run(sys.executable, "-m", "dvc", "repro")
    assert "(user, item) pairs are in two parts of the split" in refused.stderr
    assert ran(refused) == ["download", "filter", "split"]
    left = checkout.outputs()
    assert {name for name in before if left[name] != before[name]} == {
        "data/ratings.parquet",
        "data/source.json",
        "data/filtered.parquet",
        "data/filter.json",
    }
    stopped = checkout.stage("split", inside=True)
    assert (stopped.returncode, len(errors(stopped))) == (2, 1)
    checkout.compose(*QUICK, f"data.path={FOLDER}", "split.duplicates=last")
    assert checkout.stage("split", inside=True).returncode == 0
    assert_split_is(checkout, parts | {"train": changed.reset_index(drop=True)} | {
        "test": parts["test"][1:].reset_index(drop=True)
    })  # fmt: skip
    assert audit(checkout)["temporal"] is False


def test_two_headerless_files_of_tabs(checkout: Checkout, parts: dict[str, pd.DataFrame]) -> None:
    columns = ["user_id", "item_id", "rating"]
    two = {"train": pd.concat([parts["train"], parts["validation"]]), "test": parts["test"]}
    two = {name: table[columns].reset_index(drop=True) for name, table in two.items()}
    folder = write_folder(checkout, two, sep="\t", header=False)
    checkout.compose(*HEADERLESS)
    assert "split" in ran(checkout.dvc("repro", "split"))
    found = load_parts(checkout.path / "data" / "split")
    pd.testing.assert_frame_equal(found.test, two["test"].astype({"rating": "float32"}))
    assert len(found.validation) == round(0.1 * len(two["train"]))
    train = pd.concat([found.train, found.validation]).sort_values(columns, ignore_index=True)
    assert (train == two["train"].sort_values(columns, ignore_index=True)).all(axis=None)
    assert audit(checkout)["temporal"] is False

    before = checkout.outputs()
    for content, told in (
        (None, "no test.*; a folder is a published split"),
        ("", "test.txt: the file is empty"),
    ):
        (folder / "test.txt").unlink(missing_ok=True)
        if content is not None:
            (folder / "test.txt").write_text(content, encoding="utf-8")
        stopped = checkout.stage("download", inside=True)
        (line,) = errors(stopped)
        assert (stopped.returncode, told in line) == (2, True), line
        assert checkout.outputs() == before


def test_a_wrong_part_name_changes_nothing(
    checkout: Checkout, parts: dict[str, pd.DataFrame]
) -> None:
    together = pd.concat([table.assign(fold=name) for name, table in parts.items()])
    together["fold"] = together["fold"].replace("validation", "valid")
    together.to_csv(checkout.path / ONE_FILE, index=False)
    checkout.compose(*QUICK, f"data.path={ONE_FILE}", "data.columns.part=fold")
    before = checkout.outputs()
    stopped = checkout.stage("download", inside=True)
    assert errors(stopped) == [
        f'error: {ONE_FILE}, row {len(parts["train"]) + 2}, part: "valid"; train, validation or '
        f"test is expected, and other names are not guessed ({len(parts['validation']):,} rows "
        "have this fault)"
    ]
    assert (stopped.returncode, checkout.outputs()) == (2, before)
    checkout.compose(*QUICK)  # ratings.csv, which says no parts
    refused = checkout.stage("check", inside=True)
    assert "split.kind: given, but csv does not say parts" in refused.stderr
