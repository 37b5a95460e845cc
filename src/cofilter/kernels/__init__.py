"""Compiled kernels.

Numba's on-disk cache looks only at the file of the outermost function, so an edit to a function
that it calls from another file would go unnoticed and old machine code would run. The cache
therefore lies in a folder named by the content of all kernels.
"""

import hashlib
import os
from pathlib import Path

import numba

_FOLDER = Path(__file__).parent
if "NUMBA_CACHE_DIR" not in os.environ:
    _sources = b"".join(path.read_bytes() for path in sorted(_FOLDER.glob("*.py")))
    _version = hashlib.sha256(_sources).hexdigest()[:16]
    _cache = _FOLDER / "__pycache__" / _version
    numba.config.CACHE_DIR = str(_cache)  # type: ignore[attr-defined]
