"""A kill while DVC writes `dvc.lock` leaves it cut, and `make repro` mends that."""

from __future__ import annotations

import sys

import pytest

from tests.checkout import Checkout, errors, ran

REPRO = (sys.executable, "-m", "stages.side_by_side")


@pytest.mark.parametrize("share", [0.0, 0.37, 0.999])
def test_a_cut_lock_file_is_put_back(share: float, checkout: Checkout) -> None:
    before, lock = checkout.outputs(), checkout.path / "dvc.lock"
    whole = lock.read_bytes()
    cut = whole[: int(share * len(whole))]
    lock.write_bytes(cut.rstrip(b"\n"))
    done = checkout.run(*REPRO)
    assert done.returncode == 0, done.stderr
    assert "note: dvc.lock was cut short" in done.stderr
    assert ran(done) == []
    assert lock.read_bytes() == whole
    assert checkout.outputs() == before


def test_without_a_copy_it_names_the_way_back(checkout: Checkout) -> None:
    lock = checkout.path / "dvc.lock"
    lock.write_bytes(lock.read_bytes()[:5000].rstrip(b"\n"))
    (checkout.path / ".dvc/tmp/dvc.lock.whole").unlink()
    done = checkout.run(*REPRO)
    assert done.returncode == 2
    assert errors(done) == [
        "error: dvc.lock: cut short or damaged; `git checkout dvc.lock` brings it back"
    ]
