"""The model card for people; it needs nothing of the pipeline, as an exported model does not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

LOW, HIGH = "low", "high"  # ends of an interval


def as_markdown(card: Mapping[str, Any], folder: str) -> str:
    """The card for people."""
    return "\n".join(_lines(card, folder)) + "\n"


def _lines(card: Mapping[str, Any], folder: str) -> Iterator[str]:
    does = " and ".join(
        text
        for able, text in (
            (card["predicts_ratings"], "predicts ratings"),
            (card["ranks"], "ranks items"),
        )
        if able
    )
    yield f"# {card['name']}"
    yield ""
    yield (
        f"`{card['class']}` of cofilter {card['cofilter']}; it {does}. "
        f"{card['users']:,} users, {card['items']:,} items, exported {card['exported']}."
    )
    yield from _data_lines(card)
    yield from _metric_lines(card)
    yield from _index_lines(card)
    yield from ["", "## Limits", "", *(f"- {line}" for line in card["limits"])]
    yield from ["", "## Use", "", "```python", "import cofilter", ""]
    yield f'model = cofilter.load("{folder}")'
    if card["ranks"]:
        yield "items, scores = model.recommend([user_id], k=10)"
    if card["predicts_ratings"]:
        yield "rating = model.predict(user_id, item_id)"
    yield from ["```", "", "```", f"cofilter recommend --model {folder} --user USER"]
    yield from [f"cofilter serve {folder}", "```"]


def _data_lines(card: Mapping[str, Any]) -> Iterator[str]:
    data, fitted = card["data"], card["fitted_on"]
    if data is None:
        return
    yield from ["", "## Data", ""]
    period = f", {data['from']} to {data['until']}" if data["from"] else ""
    yield (
        f"{data['name']} ({data['feedback']}): {data['rows']:,} rows of {data['users']:,} users "
        f"and {data['items']:,} items{period}. Origin: {data['origin']}. "
        f"Licence: {data['licence'] or 'not stated'}."
    )
    until = f", until {fitted['until']}" if fitted["until"] else ""
    rows = "" if fitted["rows"] is None else f": {fitted['rows']:,} rows{until}"
    yield ""
    yield f"Fitted on {', '.join(fitted['parts'])}{rows}. Split: {card['split']['kind']}."


def _metric_lines(card: Mapping[str, Any]) -> Iterator[str]:
    metrics = card["metrics"]
    if metrics is None:
        return
    level = f"{metrics['confidence_level']:.0%}"
    users = "" if metrics["users"] is None else f", {metrics['users']:,} users ranked"
    yield from ["", "## Quality", "", f"On {metrics['scope']}{users}, with {level} intervals.", ""]
    yield from ["| metric | this model | popularity |", "| --- | --- | --- |"]
    for name, figure in metrics["model"].items():
        yield f"| {name} | {_told(figure)} | {_told(metrics['popularity'].get(name))} |"
    chosen = card["chosen"]
    if chosen is not None:
        yield ""
        yield (
            f"It ships: best of {chosen['candidates']} by {chosen['primary']} "
            f"({chosen['figure']:.4f}) on {chosen['chosen_on']}."
        )
    if card["cold_start"]:
        yield from ["", "New users, by how many of their ratings are known:", ""]
        yield from ["| ratings | NDCG | RMSE |", "| ---: | --- | --- |"]
        for row in card["cold_start"]:
            ndcg = {"value": row["ndcg"], LOW: row["ndcg_low"], HIGH: row["ndcg_high"]}
            yield f"| {row['revealed']} | {_told(ndcg if 'ndcg' in row else None)} | {_rmse(row)} |"


def _index_lines(card: Mapping[str, Any]) -> Iterator[str]:
    index = card.get("index")
    if index is None:
        return
    yield from ["", "## Index", ""]
    yield (
        f"Approximate search finds {index['recall']:.1%} of the exact ten best items (mean of "
        f"{index['users']:,} of the model's own users) in {index['milliseconds']:.2f} ms; exact "
        f"search takes {index['exact_milliseconds']:.2f} ms (one thread, median)."
    )


def _told(figure: Mapping[str, float] | None) -> str:
    if figure is None:
        return ""
    ends = f" [{figure[LOW]:.4f}, {figure[HIGH]:.4f}]" if LOW in figure else ""
    return f"{figure['value']:.4f}{ends}"


def _rmse(row: Mapping[str, Any]) -> str:
    return f"{row['rmse']:.4f}" if "rmse" in row else ""
