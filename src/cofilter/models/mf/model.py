"""The kinds of matrix factorization trained by gradient."""

from __future__ import annotations

from cofilter.models.mf.factorization import MatrixFactorization
from cofilter.models.mf.svdpp import SVDPlusPlus

KINDS: dict[str, type[MatrixFactorization]] = {
    "biased": MatrixFactorization,
    "dot": MatrixFactorization,
    "item_centred": MatrixFactorization,
    "svdpp": SVDPlusPlus,
}
