from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from rich.console import Console

from cofilter.core.errors import DataError
from cofilter.evaluation.premium import COLUMNS as PREMIUM_COLUMNS
from cofilter.report.published import (
    claims,
    main,
    print_claims,
    print_premium,
    read_premium,
    read_reproduction,
)
from cofilter.reproduction.table import COLUMNS

ROWS = [
    ["r4", "c", "fit 1", "mse", 3.0, 3.1, "", "", ""],
    ["r4", "c", "best", "rmse", 0.75, 0.8, "knn/item", "warm_rmse", "published on ml_20m, …"],
    ["r4", "c", "absent", "rmse", None, None, "mf/none", "warm_rmse", "not measured here"],
]
BOARD = pd.DataFrame({"family": ["knn"], "point": ["item"], "warm_rmse": [0.96]})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "results" / "reproduction.csv"
    file.parent.mkdir()
    pd.DataFrame(ROWS, columns=COLUMNS).to_csv(file, index=False)
    return file


def test_the_honest_figure_stands_beside_each_claim(path: Path) -> None:
    table = claims(read_reproduction(path), BOARD).set_index("what")
    assert table.at["best", "honest"] == 0.96
    assert table.at["fit 1", "difference"] == pytest.approx(0.1)
    assert table.loc[["fit 1", "absent"], "honest"].isna().all()


def test_a_figure_of_other_data_is_not_compared(path: Path) -> None:
    table = claims(read_reproduction(path), None).set_index("what")
    assert pd.isna(table.at["best", "difference"])
    assert table["honest"].isna().all()


def test_claims_are_printed_with_their_figures(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    print_claims(claims(read_reproduction(path), BOARD), Console(width=120))
    told = capsys.readouterr().out
    assert "0.9600" in told
    assert "0.7500" in told
    assert "published on ml_20m" in told


def test_no_table_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(tmp_path) == 1
    assert "run the stage reproduce first" in capsys.readouterr().err
    print_claims(claims(pd.DataFrame(columns=COLUMNS).astype({"note": str}), None), Console())
    assert "nothing was reproduced" in capsys.readouterr().out


def test_another_table_is_refused(path: Path) -> None:
    path.write_text("a,b\n1,2\n")
    with pytest.raises(DataError, match="columns system, claim"):
        read_reproduction(path)


def test_the_selection_premium_is_printed_with_both_points(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "selection_premium.csv"
    row = ["ndcg@10", 9, "mf/dim50", "mf/dim10", 0.31, 0.29, 0.02, -0.004, 0.05, 52]
    pd.DataFrame([row], columns=PREMIUM_COLUMNS).to_csv(path, index=False)
    print_premium(read_premium(path), Console(width=140))
    told = capsys.readouterr().out
    for part in ("mf/dim50", "0.3100", "mf/dim10", "0.2900", "+0.0200 [-0.004, +0.050]", "52"):
        assert part in told
    path.write_text("a\n1\n")
    with pytest.raises(DataError, match="columns metric, points"):
        read_premium(path)
    with pytest.raises(DataError, match="run the stage evaluate first"):
        read_premium(tmp_path / "absent.csv")
