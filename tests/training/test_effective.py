from __future__ import annotations

import re

import pytest

from cofilter.core.errors import ConfigError
from cofilter.training.effective import refuse_ineffective
from tests.composition import compose

SVDPP = "points.mf.kind=[svdpp]"
NO_LEAK = "leak.methods=[knn/item]"


@pytest.mark.parametrize(
    ("overrides", "line"),
    [
        (("mf.dim=30",), "mf.dim: 30 has no effect in the pipeline, whose points name the dims: "
         "set points.mf.dim=[30]"),
        (("mf.kind=dot",), 'mf.kind: "dot" has no effect in the pipeline, whose points name the '
         "kinds: set points.mf.kind=[dot]"),
        (("bpr.dim=3",), "set points.bpr.dim=[3]"),
        (("als.dim=3",), "set points.als.dim=[3]"),
        (("+mf.kinds.svdpp.dim=7",), "mf.kinds.svdpp.dim: 7 has no effect"),
        (("seed=3",), "seed: 3 has no effect in the pipeline, whose seeds name it: set seeds=[3]"),
        (("family=als",), 'family: "als" has no effect'),
        (("seed=3", "mf.dim=30"), "seeds=[3]; mf.dim: 30"),
        ((SVDPP, NO_LEAK, "mf.lr=0.01"), "mf.lr: 0.01 has no effect in the pipeline, whose kinds "
         "have their own: set mf.kinds.item_centred.lr, mf.kinds.svdpp.lr"),
    ],
)  # fmt: skip
def test_a_key_without_effect_is_refused_with_the_one_that_has(
    overrides: tuple[str, ...], line: str
) -> None:
    with pytest.raises(ConfigError, match=re.escape(line)):
        refuse_ineffective(compose(*overrides), compose())


@pytest.mark.parametrize(
    "overrides",
    [
        (),
        ("points.mf.dim=[30]", "points.mf.kind=[dot]", "seeds=[3]"),
        ("mf.lr=0.01",),  # biased and dot have none of their own
        (SVDPP, "mf.lr=0.01"),  # the stage leak fits mf/biased
        (SVDPP, NO_LEAK, "mf.kinds.svdpp.lr=0.01"),
        ("ncf.kinds.implicit.dim=7",),  # dim is no axis of its points
        ("points.mf.kind=[]", "mf.lr=0.01", NO_LEAK),
        ("+als.kinds.implicit.dim=7",),  # of the points that leave it open
    ],
)
def test_what_has_an_effect_passes(overrides: tuple[str, ...]) -> None:
    refuse_ineffective(compose(*overrides), compose())


def test_the_defaults_of_direct_runs_are_conf_s_to_say() -> None:
    cfg = compose("mf.dim=30")
    refuse_ineffective(cfg, cfg)
