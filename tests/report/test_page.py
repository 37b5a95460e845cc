from __future__ import annotations

import json
import re
import shutil
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import pandas as pd
import pytest
from playwright.sync_api import Browser

from cofilter.backtest.backtest import backtest, save_backtest
from cofilter.backtest.config import BacktestConfig
from cofilter.core.errors import DataError
from cofilter.core.io import write_json, write_text
from cofilter.evaluation import files
from cofilter.evaluation.pruning import COLUMNS
from cofilter.metrics import beyond, ranking, rating
from cofilter.report.charts.style import FULL, HALF, PHONE, Figure
from cofilter.report.page import write_report
from tests.backtest.conftest import make_request
from tests.browser import opened, sideways
from tests.evaluation.conftest import make_config, make_ratings
from tests.report.evaluated import BACKTESTED, HOSTILE, add_other_tables, evaluated

FETCHING = {"src", "href", "srcset", "data", "action", "poster", "xlink:href", "background"}


class Read(HTMLParser):
    """Collects addresses, ids, links within the page, labels of pictures and tags."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.urls: list[str] = []
        self.ids: list[str] = []
        self.tags: list[str] = []
        self.pictures: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        self.tags.append(tag)
        self.urls += [value or "" for name, value in attrs if name in FETCHING]
        self.ids += [told["id"] or ""] if "id" in told else []
        if told.get("role") == "img":
            self.pictures.append(told.get("aria-label") or "")


Drawn = tuple[str, list[Figure]]  # a page and its figures; to draw one takes seconds
REMOVED = {"rows": 40, "users": 9, "items": 7}
PRUNED = ["baseline/popularity", "ndcg@5", 0.31, 0.29, 0.02, 20, 29, 60, 72]


def draw(results: Path) -> Drawn:
    figures = write_report(results, results.parent)
    return (results / files.REPORT).read_text(encoding="utf-8"), figures


def change_facts(results: Path, pruned: dict[str, object], **changed: object) -> None:
    facts = json.loads((results / files.FACTS).read_text())
    facts["split"]["pruned"] = {"removed": REMOVED} | pruned
    write_json(results / files.FACTS, facts | changed)


def fill(results: Path) -> None:
    """Tables and facts as if every stage had run, on pruned ratings."""
    add_other_tables(results)
    change_facts(results, {"test": REMOVED | {"rows": 12}, "reason": None})
    table = pd.DataFrame([PRUNED], columns=COLUMNS)
    write_text(results / files.PRUNING, table.to_csv(index=False))


@pytest.fixture(scope="module")
def drawn(evaluated_once: Path, tmp_path_factory: pytest.TempPathFactory) -> Drawn:
    """The page of a small sweep in which every stage ran."""
    root = tmp_path_factory.mktemp("drawn")
    shutil.copytree(evaluated_once, root, dirs_exist_ok=True)
    fill(root / "results")
    return draw(root / "results")


@pytest.fixture(scope="module")
def bare(evaluated_once: Path, tmp_path_factory: pytest.TempPathFactory) -> Drawn:
    """The page of results with as little as there may be."""
    root = tmp_path_factory.mktemp("bare")
    shutil.copytree(evaluated_once, root, dirs_exist_ok=True)
    shutil.rmtree(root / "logs")
    (root / "results" / files.COLD_START).unlink()
    change_facts(root / "results", {"test": None, "reason": "there is no period"}, source=None)
    return draw(root / "results")


@pytest.fixture(scope="module")
def repeated(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Drawn]:
    """Results of ratings that repeat, with no window to test in, and their page."""
    once = make_ratings()
    again, late = once.head(5), once.head(3).assign(timestamp=once["timestamp"].max())
    ratings = pd.concat([once, again, again, late], ignore_index=True)
    root = tmp_path_factory.mktemp("repeated")
    results = evaluated(root, make_config(), ratings)
    facts = json.loads((results / files.FACTS).read_text())
    facts["source"]["rows"] = len(ratings) + 1234
    write_json(results / files.FACTS, facts)
    none = make_request(BacktestConfig(windows=0), methods=BACKTESTED)
    save_backtest(backtest(none, root), results)
    return results, draw(results)


@pytest.fixture
def page(drawn: Drawn) -> str:
    return drawn[0]


def test_nothing_is_fetched_and_nothing_runs(page: str) -> None:
    read = Read(page)
    assert [url for url in read.urls if not url.startswith(("data:", "#"))] == []
    assert not set(read.tags) & {"script", "iframe", "object", "embed", "img"}
    assert [url for url in re.findall(r"url\(([^)]*)\)", page) if not url.startswith("#")] == []
    assert "@import" not in page
    outside = set(re.findall(r"https?://[^\"'\s<>]+", page))
    assert {url for url in outside if not url.startswith("http://www.w3.org/")} == set()
    assert len(page) < 4e6


def test_names_from_the_data_are_escaped(page: str) -> None:
    assert "<b>Alien" not in page
    assert HOSTILE.replace("<", "&lt;").replace(">", "&gt;").rsplit(" (", 1)[0] in page
    assert "KNN is &lt;best&gt;" in page


def test_every_link_leads_somewhere_and_every_picture_has_words(page: str) -> None:
    read = Read(page)
    links = {url[1:] for url in read.urls if url.startswith("#")}
    assert links <= set(read.ids)
    assert len(set(read.ids)) == len(read.ids)
    assert set(re.findall(r"url\(#([^)]*)\)", page)) <= set(read.ids)
    assert len(links) == 15  # the thirteen parts, the top, and the curves of re-ranking
    headings = [tag for tag in read.tags if re.fullmatch(r"h\d", tag)]
    assert headings[0] == "h1"
    assert headings.count("h1") == 1
    steps = pairwise(headings)
    assert all(int(after[1]) - int(before[1]) <= 1 for before, after in steps)
    assert len(read.pictures) == 2 * page.count("<figcaption>")
    assert all(len(label) > 30 for label in read.pictures)


def test_the_page_tells_the_result_and_its_terms(page: str) -> None:
    assert "Too few users to rank" in page
    for name in [*rating.DEFINITIONS, *(f"{name}@k" for name in ranking.DEFINITIONS)]:
        assert f"<dt>{name}</dt>" in page
    assert f"<dt>{beyond.CONSUMED}</dt>" in page
    assert "train and validation <b>0</b>" in page
    assert "RMSE <b>0.75</b> with the test rows in its training data, <b>0.96</b> without" in page
    assert "ab" * 32 in page
    assert "<dt>numpy</dt>" in page
    assert "What choosing on test would promise" in page
    assert "<h3>The model to ship, re-ranked</h3>" in page
    assert re.search(r'<th scope="row">\w+/[\w-]+\+mmr0.5</th>', page)
    assert re.search(r"Of 100 users, <b>\d+</b> find something relevant among their 5 with", page)
    assert 'model = cofilter.load("models/' in page
    assert "What users would see" in page
    assert page.count('<div class="person">') == 3


def test_how_true_reasons_are_is_told_of_each_kind(page: str) -> None:
    part = page[page.index('id="reasons"') : page.index('id="leak"')]
    text = re.sub(r"<[^>]+>", " ", part)
    assert re.search(r"knn/item\s+exact\s+12.5\s+0.5\s+12.0\s+−1.5 to 30.2\s+3.0\s+1\s+15", text)
    assert re.search(r"als/explicit-dim\d-seed0\s+exact\s+1.0\s+1.0\s+0.0\s+–\s+15\s+15", text)
    assert "For up to 15 warm test users" in text
    assert "baseline" not in text


def test_figures_come_in_the_pages_order_and_fit_their_widths(drawn: Drawn) -> None:
    page, figures = drawn
    places = [page.index(f'id="{figure.slug}"') for figure in figures]
    assert places == sorted(places)
    titles = [figure.title for figure in figures]
    for expected in (
        "NDCG@5 on test",
        "RMSE on test",
        "Differences in NDCG@5 from the best",
        "NDCG@5 in the backtest",
        "NDCG@5 by window",
        "RMSE against the length of the factors",
        "RMSE against training time",
        "NDCG@5 against training time",
        "Validation RMSE by epoch",
        "Training loss by epoch",
        "Calibration of predicted ratings",
        "RMSE by activity",
        "Recall by popularity",
        "Cold start: NDCG@5",
        "Cold start: RMSE",
        "Coverage of the catalogue",
        "Popularity of what is recommended",
        "Re-ranking the model to ship",
        "Items rated alike",
        "Items by their factors",
        "RMSE, leaking and honest",
    ):
        assert expected in titles
    for figure in figures:
        for name, width in (("wide", FULL if figure.full else HALF), ("narrow", PHONE)):
            root = ElementTree.fromstring(figure.svg[name])
            assert 0 < float(root.attrib["width"]) <= width + 1, figure.title


def test_what_is_absent_is_left_out_and_named(bare: Drawn) -> None:
    page, figures = bare
    titles = [figure.title for figure in figures]
    assert not any("time" in title or "Cold" in title or "leaking" in title for title in titles)
    for name in (files.COLD_START, files.LEAK, files.BACKTEST):
        assert f"this run has no {name}" in page
    assert "No published procedure ran" in page
    assert "Not logged in this checkout" in page


def test_the_backtest_is_told_by_window(page: str, tmp_path: Path) -> None:
    found = backtest(make_request(methods=BACKTESTED), tmp_path).pooled
    assert "Does the order survive another cut date? 3 successive windows" in page
    assert "Mean Kendall τ between the orders of two windows: <b>" in page
    for row in found.dropna(subset=["ndcg@5"]).to_dict("records"):
        share = round(row["windows_in_best_set"] * 3)
        assert re.search(
            rf"{row['method']}.{{0,60}}</th><td>{row['ndcg@5']:.4f}<small>.{{0,40}}</td>"
            rf"<td>{share} of 3</td>",
            page,
        )


def test_without_a_backtest_the_page_says_why(repeated: tuple[Path, Drawn]) -> None:
    page, figures = repeated[1]
    titles = [figure.title for figure in figures]
    assert not [title for title in titles if "window" in title or "backtest" in title]
    assert "No backtest: backtest.windows is 0. The model to ship is the best on" in page


def test_what_pruning_makes_of_the_test_is_told(page: str, bare: Drawn) -> None:
    assert "removed 40 ratings of 9 users. Of these 12, of 9 users, would be test rows." in page
    assert "<td>0.3100</td><td>0.2900</td><td>+0.0200</td><td>20</td><td>29</td>" in page
    assert "What they are worth is not measured: there is no period." in bare[0]


def test_every_row_of_the_source_is_accounted_for(repeated: tuple[Path, Drawn]) -> None:
    """Repeats in the notes of the board and by part, and all that went before the split."""
    results, (page, _) = repeated
    lines = [
        "13 of 263 rows were merged or dropped by split.duplicates=last: 10 repeats inside a part "
        "(train 10), 3 repeats of an earlier part (test 3)",
        "split.duplicates=last keeps a pair&#39;s latest rating in the first part that has it",
    ]
    for line in lines:
        assert f'<p class="note">{line[:1].upper()}{line[1:]}' in page
    assert pd.read_csv(results / files.LEADERBOARD)["notes"].str.startswith(lines[0]).all()
    parts = json.loads((results / files.FACTS).read_text())["split"]["parts"]
    for name, within, earlier in (("train", 10, 0), ("validation", 0, 0), ("test", 0, 3)):
        rows = f"<td>{parts[name]['rows']}</td><td>{within}</td><td>{earlier}</td>"
        assert f'<th scope="row">{name}</th>{rows}' in page
    assert "<dt>merged or dropped as repeats</dt><dd>13</dd>" in page
    space = "\N{NARROW NO-BREAK SPACE}"
    assert f"<dt>dropped by the filter</dt><dd>1{space}234: " in page
    assert f"<dt>skipped on reading</dt><dd>1{space}234 rating off the scale</dd>" in page


def test_warnings_of_the_source_are_told(page: str) -> None:
    warnings = "3 times are odd; &lt;b&gt;see&lt;/b&gt; data.timestamp_format<br>few titles"
    assert f"<dt>warnings</dt><dd>{warnings}</dd>" in page
    assert '<p class="note">The source: few titles</p>' in page


def test_the_filters_rules_tell_what_each_dropped(page: str) -> None:
    rules = "5 min_date=2001-01-01, 7 k_core=2"
    assert f"<dt>dropped by the filter</dt><dd>12: {rules}</dd>" in page


def test_an_unknown_source_has_no_account(bare: Drawn) -> None:
    assert "dropped by the filter" not in bare[0]


def test_the_same_results_give_the_same_page(page: str, results: Path) -> None:
    """In another folder, and drawn after other charts."""
    fill(results)
    assert draw(results)[0] == page


def test_without_results_no_page_is_written(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"leaderboard\.csv: file not found"):
        write_report(tmp_path / "results", tmp_path)
    assert not (tmp_path / "results" / files.REPORT).exists()


@pytest.mark.parametrize("width", [1280, 390])
def test_a_browser_shows_it_without_an_error(
    page: str, browser: Browser, tmp_path: Path, width: int
) -> None:
    path = tmp_path / "shown.html"
    path.write_text(page, encoding="utf-8")
    with opened(browser, width) as (shown, watched):
        shown.goto(path.as_uri())
        assert sideways(shown) <= 0
        assert shown.locator("svg").count() == page.count("<svg")
    assert watched.complaints == []
    assert watched.hosts == {""}  # the file itself
