from __future__ import annotations

from cofilter.tracking.lineage import SENT
from tests.checkout import Checkout


def test_without_a_login_it_says_so_and_sends_nothing(finished: Checkout) -> None:
    done = finished.stage("sync")
    assert done.returncode == 0, done.stderr
    (line,) = [each for each in done.stdout.splitlines() if "wandb login" in each]
    assert "nothing sent" in line
    assert not (finished.path / SENT).exists()
    assert not list((finished.path / "logs/wandb").glob("*/*.synced"))
