from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cofilter.core import paths
from cofilter.core.errors import CofilterError, DataError, SourceError
from cofilter.core.io import file_sha256, read_json, read_table
from cofilter.sources.source import Obtained, obtain, save
from tests.sources.archives import grouplens_from_wheel, zipped
from tests.sources.configs import PROJECT, source, values
from tests.sources.server import Site, refusing_url, serve

REAL = PROJECT.parent / "shared" / "data" / "ml-latest-small"
RATINGS_CSV = b"userId,movieId,rating,timestamp\n7,30,4.5,1112486027\n7,20,3.0,1112484676\n"
MOVIES_CSV = b"movieId,title,genres\n20,Two (1995),Drama\n30,Three (1996),Comedy|War\n"


def get(tmp_path: Path, name: str, **changes: Any) -> Obtained:
    return obtain(source(name, **changes), tmp_path / "downloads", tmp_path)


def on(site: Site, name: str, body: bytes, index: int = 0) -> dict[str, Any]:
    """A mirror of the named source, but at the test's server."""
    mirror = dict(values(name)["mirrors"][index])
    mirror["url"] = f"{site.url}/{mirror['url'].rsplit('/', 1)[1]}"
    mirror["md5"] = hashlib.md5(body).hexdigest()
    return mirror


def rows(table: pd.DataFrame) -> list[tuple[Any, ...]]:
    return list(table.itertuples(index=False, name=None))


def test_both_mirrors_of_ml_100k_give_the_same_tables(tmp_path: Path, wheel: Path) -> None:
    archive = grouplens_from_wheel(wheel)
    from_wheel = get(tmp_path, "ml_100k", mirrors=values("ml_100k")["mirrors"][1:])
    with serve(Site(archive)) as site:
        from_zip = get(tmp_path, "ml_100k", mirrors=[on(site, "ml_100k", archive)])
    pd.testing.assert_frame_equal(from_wheel.ratings, from_zip.ratings)
    pd.testing.assert_frame_equal(from_wheel.items, from_zip.items)
    report = from_wheel.report
    assert report["content_sha256"] == values("ml_100k")["checksums"]
    assert (report["rows"], report["users"], report["items"]) == (100_000, 943, 1_682)
    assert report["origin"] == "recbole==1.2.1"
    assert report["files"][0]["sha256"] == values("ml_100k")["mirrors"][1]["sha256"]
    assert "recbole" not in json.dumps(from_zip.report)
    titles = from_zip.items.set_index("item_id")["title"]
    assert titles[1] == "Toy Story (1995)"
    assert titles[267] == "unknown"
    assert titles[543] == "Misérables, Les (1995)"
    assert not titles.str.contains("  |^ | $", regex=True).any()


def test_the_next_mirror_steps_in_for_one_that_refuses(tmp_path: Path, wheel: Path) -> None:
    mirrors = values("ml_100k")["mirrors"]
    mirrors[0]["url"] = refusing_url()
    assert get(tmp_path, "ml_100k", mirrors=mirrors).report["origin"] == "recbole==1.2.1"


def test_other_content_than_ml_100k_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "ml"
    folder.mkdir()
    (folder / "u.data").write_bytes(b"1\t1\t5\t881250949\n")
    (folder / "u.item").write_bytes(b"1|Toy Story (1995)|||" + b"|0" * 19 + b"\n")
    with pytest.raises(DataError, match="the ratings are not those of ml_100k"):
        get(tmp_path, "ml_100k", path="ml")
    assert get(tmp_path, "ml_100k", path="ml", checksums=None).report["rows"] == 1


@pytest.mark.skipif(not REAL.is_dir(), reason=f"no copy of ml-latest-small at {REAL.name}")
def test_real_movielens_from_a_folder(tmp_path: Path) -> None:
    obtained = obtain(source("ml_latest_small", path=str(REAL)), tmp_path, PROJECT)
    table = pd.read_csv(REAL / "ratings.csv")
    assert np.array_equal(obtained.ratings["user_id"], table["userId"])
    assert np.array_equal(obtained.ratings["item_id"], table["movieId"])
    assert np.array_equal(obtained.ratings["rating"], table["rating"].astype(np.float32))
    assert np.array_equal(obtained.ratings["timestamp"], table["timestamp"])
    movies = pd.read_csv(REAL / "movies.csv")
    assert obtained.items["title"].tolist() == movies["title"].str.strip().tolist()
    assert obtained.report["rows"] == len(table)
    assert obtained.report["users"] == table["userId"].nunique()
    assert obtained.report["items"] == table["movieId"].nunique()
    assert obtained.report["duplicate_pairs"] == 0
    assert [file["name"] for file in obtained.report["files"]] == ["ratings.csv", "movies.csv"]
    assert obtained.report["files"][0]["sha256"] == file_sha256(REAL / "ratings.csv")


FORMS = {
    "ml_1m": {
        "ml-1m/ratings.dat": b"7::30::4::1112486027\n7::20::3::1112484676\n",
        "ml-1m/movies.dat": "30::Mis\xe9rables (1996)::Comedy|War\n".encode("latin-1"),
    },
    "ml_10m": {
        "ml-10M100K/ratings.dat": b"7::30::4.5::1112486027\n7::20::3::1112484676\n",
        "ml-10M100K/movies.dat": "30::Mis\xe9rables (1996)::Comedy|War\n".encode(),
    },
    "ml_20m": {"ml-20m/ratings.csv": RATINGS_CSV, "ml-20m/movies.csv": MOVIES_CSV},
    "ml_25m": {"ml-25m/ratings.csv": RATINGS_CSV, "ml-25m/movies.csv": MOVIES_CSV},
    "ml_32m": {"ml-32m/ratings.csv": RATINGS_CSV, "ml-32m/movies.csv": MOVIES_CSV},
    "ml_latest_small": {
        "ml-latest-small/ratings.csv": RATINGS_CSV,
        "ml-latest-small/movies.csv": MOVIES_CSV,
    },
}


@pytest.mark.parametrize("name", sorted(FORMS))
def test_archives_as_grouplens_writes_them(tmp_path: Path, name: str) -> None:
    body = zipped(FORMS[name])
    with serve(Site(body)) as site:
        obtained = get(tmp_path, name, mirrors=[on(site, name, body)])
        again = get(tmp_path, name, mirrors=[on(site, name, body)])
        assert len(site.requests) == 1
    first = 4.0 if name == "ml_1m" else 4.5
    assert rows(obtained.ratings) == [(7, 30, first, 1112486027), (7, 20, 3.0, 1112484676)]
    assert set(obtained.items["item_id"]) == {20, 30}
    if name in ("ml_1m", "ml_10m"):
        assert rows(obtained.items) == [(30, "Misérables (1996)", "Comedy|War"), (20, "", "")]
    assert again.report == obtained.report


@pytest.mark.parametrize("zip_it", [True, False])
def test_the_form_with_times_as_text_gives_the_same_tables(tmp_path: Path, zip_it: bool) -> None:
    text = (
        b'"userId","movieId","rating","timestamp"\n'
        b'7,30,4.5,"2005-04-02 23:53:47"\n7,20,3,"2005-04-02 23:31:16"\n'
    )
    for name, members in {
        "plain": {"ratings.csv": RATINGS_CSV, "movies.csv": MOVIES_CSV},
        "text": {"rating.csv": text, "movie.csv": MOVIES_CSV, "link.csv": b"x"},
    }.items():
        if zip_it:
            (tmp_path / name).write_bytes(zipped(members))
            continue
        (tmp_path / name).mkdir()
        for member, content in members.items():
            (tmp_path / name / member).write_bytes(content)
    plain, text_form = (get(tmp_path, "ml_20m", path=name) for name in ("plain", "text"))
    assert plain.report["content_sha256"] == text_form.report["content_sha256"]
    assert rows(plain.ratings) == rows(text_form.ratings)


def test_a_ratings_file_with_its_titles_beside_it(tmp_path: Path) -> None:
    (tmp_path / "ratings.csv").write_bytes(RATINGS_CSV)
    with pytest.raises(DataError, match=r"no movies.csv beside ratings.csv"):
        get(tmp_path, "ml_20m", path="ratings.csv")
    (tmp_path / "movies.csv").write_bytes(MOVIES_CSV)
    assert get(tmp_path, "ml_20m", path="ratings.csv").report["rows"] == 2


def test_csv_of_ones_own_with_titles(tmp_path: Path) -> None:
    (tmp_path / "log.tsv").write_bytes(
        b"who\twhat\twhen\nann\t007\t2020-01-01\nbob\t8\t2020-01-02\n"
    )
    (tmp_path / "shop.csv").write_bytes(b"sku;name\n007;Lamp\n;Ghost\n9;Chair\n")
    obtained = get(
        tmp_path,
        "csv",
        path="log.tsv",
        delimiter="\t",
        columns={"user": "who", "item": "what", "rating": None, "timestamp": "when"},
        items={
            "path": "shop.csv",
            "delimiter": ";",
            "has_header": True,
            "columns": {"item": "sku", "title": "name", "genres": None},
        },
    )
    assert rows(obtained.ratings) == [
        ("ann", "007", 1.0, 1577836800),
        ("bob", "8", 1.0, 1577923200),
    ]
    assert rows(obtained.items) == [("007", "Lamp", ""), ("9", "Chair", ""), ("8", "", "")]
    assert [file["name"] for file in obtained.report["files"]] == ["log.tsv", "shop.csv"]
    assert "1 rows of shop.csv have no id and are left out" in obtained.report["warnings"]
    assert obtained.report["scale"] is None


def test_csv_without_header_or_times_counts_duplicates(tmp_path: Path) -> None:
    (tmp_path / "r.txt").write_bytes(b"3::1::5\n3::1::4\n4::1::2\n3::1::1\n")
    columns = {"user": 1, "item": 2, "rating": 3, "timestamp": None}
    changes: dict[str, Any] = {"columns": columns, "has_header": False, "delimiter": "::"}
    obtained = get(tmp_path, "csv", path="r.txt", **changes)
    assert list(obtained.ratings.columns) == ["user_id", "item_id", "rating"]
    assert obtained.report["timestamps"] is False
    assert obtained.report["duplicate_pairs"] == 2


def test_parquet_gives_what_its_csv_gives(tmp_path: Path) -> None:
    table = pd.DataFrame(
        {
            "user_id": [3, 1, 3],
            "item_id": ["x", "y", "007"],
            "rating": [1.0, 2.5, 5.0],
            "timestamp": pd.to_datetime([1, 2, 3], unit="s"),
        }
    )
    table.to_parquet(tmp_path / "r.parquet")
    table.to_csv(tmp_path / "r.csv", index=False)
    parquet, text = (get(tmp_path, "csv", path=f"r.{kind}") for kind in ("parquet", "csv"))
    assert parquet.report["content_sha256"] == text.report["content_sha256"]


def test_skipped_rows_are_counted_and_do_not_decide_the_ids(tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_bytes(b"user_id,item_id,rating,timestamp\n1,2,3,4\nx,2,junk,4\n")
    with pytest.raises(DataError, match=r'r.csv, row 3, rating: "junk"'):
        get(tmp_path, "csv", path="r.csv")
    obtained = get(tmp_path, "csv", path="r.csv", invalid="skip")
    assert obtained.ratings["user_id"].tolist() == [1]
    assert obtained.report["skipped"]["rating_not_a_number"] == 1


@pytest.mark.parametrize(
    ("name", "path", "content", "said"),
    [
        ("csv", None, b"", r"Give it with data.path=<file>"),
        ("csv", "gone.csv", None, r"gone.csv: no such file"),
        ("ml_20m", "gone", None, r"gone: no such file or folder"),
        ("ml_20m", "x.zip", b"<html>", r"x.zip: is an HTML page, not a zip archive"),
        ("ml_20m", "x.zip", zipped({"ratings.csv": RATINGS_CSV})[:-9], r"x.zip: .* truncated"),
        ("ml_20m", "x.zip", zipped({"a.csv": b""}), r"holds none of .*there are: a.csv"),
        ("ml_20m", "x.zip", zipped({"ratings.csv": RATINGS_CSV}), "no movies.csv beside"),
        (
            "ml_20m",
            "x.zip",
            zipped({"ratings.csv": RATINGS_CSV + b"1,1,9,1\n", "movies.csv": MOVIES_CSV}),
            r'x.zip: ratings.csv, row 4, rating: "9"; a number from 0.5 to 5 is expected',
        ),
    ],
)
def test_bad_input_is_said_in_one_line(
    tmp_path: Path, name: str, path: str | None, content: bytes | None, said: str
) -> None:
    if path is not None and content is not None:
        (tmp_path / path).write_bytes(content)
    with pytest.raises(CofilterError, match=said) as caught:
        get(tmp_path, name, path=path)
    assert "\n" not in str(caught.value)


def test_no_mirror_and_how_to_go_on(tmp_path: Path) -> None:
    mirror = dict(values("ml_1m")["mirrors"][0], url=refusing_url())
    with pytest.raises(SourceError, match=r"ml_1m: no mirror .* data.path=<file, folder or zip>"):
        get(tmp_path, "ml_1m", mirrors=[mirror])


def test_saved_files_hold_what_was_obtained_and_equal_runs_give_equal_bytes(tmp_path: Path) -> None:
    (tmp_path / "ratings.csv").write_bytes(RATINGS_CSV)
    (tmp_path / "movies.csv").write_bytes(MOVIES_CSV)
    for out in ("a", "b"):
        save(get(tmp_path, "ml_20m", path="ratings.csv"), tmp_path / out)
    obtained = get(tmp_path, "ml_20m", path="ratings.csv")
    pd.testing.assert_frame_equal(read_table(tmp_path / "a" / paths.RATINGS), obtained.ratings)
    pd.testing.assert_frame_equal(read_table(tmp_path / "a" / paths.ITEMS), obtained.items)
    assert read_json(tmp_path / "a" / paths.SOURCE) == obtained.report
    for path in (paths.RATINGS, paths.ITEMS, paths.SOURCE):
        assert (tmp_path / "a" / path).read_bytes() == (tmp_path / "b" / path).read_bytes()


def test_a_failed_save_leaves_earlier_files_alone(tmp_path: Path) -> None:
    (tmp_path / "ratings.csv").write_bytes(RATINGS_CSV)
    (tmp_path / "movies.csv").write_bytes(MOVIES_CSV)
    obtained = get(tmp_path, "ml_20m", path="ratings.csv")
    save(obtained, tmp_path)
    files = [tmp_path / path for path in (paths.RATINGS, paths.ITEMS, paths.SOURCE)]
    before = [path.read_bytes() for path in files]
    broken = Obtained(obtained.ratings.iloc[:1], obtained.items, {"not JSON": float("nan")})
    with pytest.raises(ValueError, match="Out of range"):
        save(broken, tmp_path)
    assert [path.read_bytes() for path in files] == before
    assert sorted(path.name for path in (tmp_path / "data").iterdir()) == sorted(
        path.name for path in files
    )


def test_a_synthetic_source_reports_its_truth(tmp_path: Path) -> None:
    obtained = get(tmp_path, "synthetic", synthetic__users=200)
    assert obtained.report["rows"] == len(obtained.ratings)
    assert obtained.report["duplicate_pairs"] == 0
    assert 0.5 < obtained.report["synthetic"]["reachable_rmse"] < 1.0
    assert obtained.report["files"] == []
    assert obtained.items["item_id"].tolist() == sorted(set(obtained.ratings["item_id"]))
    assert (obtained.items["title"] == "").all()


def test_string_ids_of_a_parquet_file_stay_strings(tmp_path: Path) -> None:
    table = pd.DataFrame({"user_id": ["12", "3"], "item_id": ["7", "8"], "rating": [1.0, 2.0]})
    table.to_parquet(tmp_path / "r.parquet")
    (tmp_path / "titles.csv").write_text("item_id,title\n7,Lamp\n", encoding="utf-8")
    columns = {"user": "user_id", "item": "item_id", "rating": "rating", "timestamp": None}
    titles = {"item": "item_id", "title": "title", "genres": None}
    items = {"path": "titles.csv", "delimiter": ",", "has_header": True, "columns": titles}
    obtained = get(tmp_path, "csv", path="r.parquet", columns=columns, items=items)
    assert obtained.ratings["user_id"].tolist() == ["12", "3"]
    assert obtained.items["item_id"].tolist() == ["7", "8"]
    assert obtained.items["title"].tolist() == ["Lamp", ""]
