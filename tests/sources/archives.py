"""Archives made for tests, among them ML-100K in the form GroupLens gives it."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

GENRES = [
    "unknown",
    "Action",
    "Adventure",
    "Animation",
    "Children's",
    "Comedy",
    "Crime",
    "Documentary",
    "Drama",
    "Fantasy",
    "Film-Noir",
    "Horror",
    "Musical",
    "Mystery",
    "Romance",
    "Sci-Fi",
    "Thriller",
    "War",
    "Western",
]
_INSIDE = "recbole/dataset_example/ml-100k/ml-100k"


def zipped(members: dict[str, bytes]) -> bytes:
    """A zip archive, the same bytes whenever it is made: tests' names hold some of them."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def grouplens_from_wheel(wheel: Path) -> bytes:
    """ml-100k.zip with u.data and u.item as GroupLens writes them, from the wheel's own rows."""
    with zipfile.ZipFile(wheel) as archive:
        ratings = archive.read(f"{_INSIDE}.inter").decode().splitlines()[1:]
        items = archive.read(f"{_INSIDE}.item").decode().splitlines()[1:]
    data = "".join(f"{row}\n" for row in ratings).encode()
    lines = [u_item_line(*row.split("\t")) for row in items]
    return zipped({"ml-100k/u.data": data, "ml-100k/u.item": "".join(lines).encode("latin-1")})


def u_item_line(item: str, title: str, year: str, genres: str) -> str:
    """A line of u.item; like GroupLens's, with a blank after item 1201's title."""
    name = (
        "unknown" if title == "unkonwn" else f"{title} ({year})" + (" " if item == "1201" else "")
    )
    flags = ["1" if genre in genres.split(" ") else "0" for genre in GENRES]
    return "|".join([item, name, "01-Jan-1995", "", "http://us.imdb.com/", *flags]) + "\n"
