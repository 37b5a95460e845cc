from __future__ import annotations

from tests.checkout import Checkout


def test_without_a_login_it_says_so_and_writes_the_specification(checkout: Checkout) -> None:
    ran = checkout.stage("dashboard", "tracking=wandb", inside=False)
    assert ran.returncode == 0, ran.stderr
    assert "no dashboard made, since" in ran.stdout + ran.stderr
    assert "train_mf" in (checkout.path / "logs" / "dashboard.json").read_text()
