"""The chart of the leak: what a leaking procedure promises and what an honest one finds."""

from __future__ import annotations

from collections.abc import Iterator

import altair as alt
import numpy as np
import pandas as pd

from cofilter.evaluation.leak import HONEST_RMSE, LEAKING_RMSE, METHOD
from cofilter.report.charts.style import (
    CHOSEN,
    HALF,
    INK,
    QUIET,
    WARNING,
    Figure,
    figure,
    fitted,
)


def leaks(table: pd.DataFrame) -> Iterator[Figure]:
    """RMSE of each method both ways; none for an empty table."""
    if table.empty:
        return
    rows = table.dropna(subset=[LEAKING_RMSE, HONEST_RMSE])
    order = rows.sort_values(HONEST_RMSE, kind="stable")[METHOD].tolist()
    worst = rows.iloc[int(np.argmax(rows[HONEST_RMSE] - rows[LEAKING_RMSE]))]
    reading = (
        f"The most flattered: {worst[METHOD]}, {worst[LEAKING_RMSE]:.2f} leaking, "
        f"{worst[HONEST_RMSE]:.2f} honest."
    )
    long = rows.melt(METHOD, [LEAKING_RMSE, HONEST_RMSE], var_name="procedure", value_name="rmse")
    names = {LEAKING_RMSE: "with test rows in training", HONEST_RMSE: "honest"}
    long = long.assign(
        procedure=long["procedure"].map(names), told=long["rmse"].map("{:.2f}".format)
    )

    def draw(width: int) -> alt.LayerChart:
        y = alt.Y(f"{METHOD}:N", sort=order, title=None, axis=alt.Axis(labelLimit=170))
        scale = alt.Scale(zero=False, padding=34, nice=False)
        colours = alt.Scale(domain=list(names.values()), range=[WARNING, CHOSEN])
        shapes = alt.Scale(domain=list(names.values()), range=["diamond", "circle"])
        legend = alt.Legend(title=None, orient="top", columns=1, labelLimit=300)
        x = alt.X(
            "rmse:Q", title="RMSE", scale=scale, axis=alt.Axis(tickCount=3 if width < HALF else 6)
        )
        base = alt.Chart(long).encode(y=y, x=x)
        between = alt.Chart(rows).mark_rule(color=QUIET, strokeWidth=2)
        dots = base.mark_point(filled=True, size=110, opacity=1).encode(
            color=alt.Color("procedure:N", scale=colours, legend=legend),
            shape=alt.Shape("procedure:N", scale=shapes, legend=legend),
        )
        leaking, honest = (
            base.transform_filter(alt.datum.procedure == names[each]).encode(
                text=alt.Text("told:N")
            )
            for each in (LEAKING_RMSE, HONEST_RMSE)
        )
        texts = [
            leaking.mark_text(align="right", dx=-10, fontSize=11, color=INK),
            honest.mark_text(align="left", dx=10, fontSize=11, color=INK),
        ]
        rule = between.encode(y=y, x=alt.X(f"{LEAKING_RMSE}:Q"), x2=alt.X2(f"{HONEST_RMSE}:Q"))
        return fitted(alt.layer(rule, dots, *texts).properties(height={"step": 30}), width)

    caption = "Lower looks better; only the honest figure is what users will get."
    yield figure("RMSE, leaking and honest", caption, reading, draw)
