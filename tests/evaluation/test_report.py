from __future__ import annotations

import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from cofilter.evaluation import plots
from cofilter.evaluation.charts import figures
from cofilter.evaluation.leaderboard import leaderboard
from cofilter.evaluation.report import report
from cofilter.evaluation.scoring import EvaluateConfig
from cofilter.metrics import ranking, rating
from cofilter.preparation.parts import Parts
from tests.evaluation.test_charts import CURVE
from tests.evaluation.test_leaderboard import entry

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("chrome")
FETCHING = {"src", "href", "srcset", "data", "action", "poster", "xlink:href", "background"}


@pytest.fixture
def page(config: EvaluateConfig, audited: tuple[Parts, dict[str, Any]]) -> str:
    entries = [
        entry(config, "<b>dim10</b>", warm=0.3, validation=0.1),
        entry(config, "dim20", warm=0.2, validation=0.4),
        entry(config, "mean", warm=None, validation=None, family="baseline"),
    ]
    notes = ["too few users to rank: 3 < 5"]
    table = leaderboard(entries, config, notes)
    bars, by_dim = plots.comparison(table, config), plots.rmse_by_dim(table, {("mf", "dim20"): 20})
    return report(table, list(figures(bars, CURVE, by_dim)), audited[1], notes, config)


class Fetched(HTMLParser):
    """Collects every attribute that could make a browser fetch something."""

    def __init__(self) -> None:
        super().__init__()
        self.urls: list[str] = []
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.urls += [value or "" for name, value in attrs if name in FETCHING]


def test_nothing_is_fetched_and_nothing_runs(page: str) -> None:
    fetched = Fetched()
    fetched.feed(page)
    assert [url for url in fetched.urls if not url.startswith(("data:", "#"))] == []
    assert not fetched.tags & {"script", "iframe", "object", "embed", "img"}
    assert [url for url in re.findall(r"url\(([^)]*)\)", page) if not url.startswith("#")] == []
    assert "@import" not in page
    outside = set(re.findall(r"https?://[^\"'\s<>]+", page))
    assert {url for url in outside if not url.startswith("http://www.w3.org/")} == set()


def test_names_from_the_data_are_escaped(page: str) -> None:
    assert "<b>dim10</b>" not in page
    assert "&lt;b&gt;dim10&lt;/b&gt;" in page


def test_the_page_tells_the_result_its_notes_and_its_terms(page: str) -> None:
    assert "Ship <strong>mf/dim20</strong>" in page
    assert "Too few users to rank: 3 &lt; 5" in page
    assert page.count("<figure>") == 5
    for name in [*rating.DEFINITIONS, *(f"{name}@k" for name in ranking.DEFINITIONS)]:
        assert f"<dt>{name}</dt>" in page
    assert "train and validation <b>0</b>" in page


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine")
def test_a_browser_shows_it_without_an_error(page: str, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text(page, encoding="utf-8")
    assert CHROMIUM is not None
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    quiet = ["--enable-logging=stderr", f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom"]
    shown = subprocess.run(
        [CHROMIUM, *flags, *quiet, path.as_uri()],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert "mf/<wbr>dim20" in shown.stdout
    assert shown.stdout.count("<svg") == page.count("<svg")
    assert "CONSOLE" not in shown.stderr
