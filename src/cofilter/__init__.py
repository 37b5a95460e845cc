"""Collaborative filtering that tells which method to ship, and how good it really is.

>>> import pandas as pd
>>> from cofilter import ItemKNN
>>> ratings = pd.DataFrame(
...     {"user_id": [1, 1, 2, 2, 3], "item_id": [10, 20, 10, 20, 10], "rating": [5, 4, 4, 5, 2]}
... )
>>> items, scores = ItemKNN(k=40).fit(ratings).recommend(3, k=1)
>>> items.tolist()
[[20]]

Names are imported when they are first used, so that ``import cofilter`` costs nothing;
``__init__.pyi`` says where each of them lives.
"""

from __future__ import annotations

from typing import Any

import lazy_loader

_imported, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("cofilter")
    return _imported(name)
