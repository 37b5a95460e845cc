"""The stage for real: what its tracked run holds, read back from the file of an offline run."""

from __future__ import annotations

from tests.checkout import Checkout
from tests.tracking.wandb_log import read_run


def test_the_tracked_run_holds_the_leaderboard_and_the_reports_charts(checkout: Checkout) -> None:
    ran = checkout.stage("evaluate", "tracking.mode=offline", inside=True)
    assert ran.returncode == 0, ran.stderr
    last = [line.split(":")[0] for line in ran.stdout.splitlines()[-4:]]
    assert last == ["data", "ship", "gain", "load"], ran.stdout
    named = ran.stdout.splitlines()[-1].split('"')[1]
    assert (checkout.path / named / "model.json").is_file()
    (folder,) = (checkout.path / "logs" / "wandb").glob("offline-run-*")
    run = read_run(folder)
    assert (run.job_type, run.name, run.exit_code) == ("evaluate", "evaluate", 0)
    logged = {name.removesuffix("/path") for row in run.rows for name in row if "/path" in name}
    assert {"leaderboard", "ndcg-10-on-test", "rmse-on-test", "items-rated-alike"} <= logged
    page = (checkout.path / "results" / "report.html").read_text(encoding="utf-8")
    for name in logged - {"leaderboard"}:
        assert f'id="{name}"' in page
        ((file,),) = run.numbers(f"{name}/path")
        chart = (folder / "files" / file).read_text(encoding="utf-8")
        assert chart.count("<svg") == 1
        assert "http" not in chart.replace("http://www.w3.org", "")
