"""Collaborative filtering that tells which method to ship, and how good it really is."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cofilter.recommender.store import load as load

__all__ = ["load"]


def __getattr__(name: str) -> Any:
    # Importing the package stays free of NumPy and Numba; ``cofilter.load`` brings them.
    if name == "load":
        from cofilter.recommender.store import load

        return load
    if name == "__version__":
        from importlib.metadata import version

        return version("cofilter")
    raise AttributeError(f"module 'cofilter' has no attribute {name!r}")
