from __future__ import annotations

from pathlib import Path

from bench.report import Pair, Run, write


def test_the_page_states_longest_times_and_median_losses(tmp_path: Path) -> None:
    pairs = [
        Pair("a", "b", "512 × 341", first, wall, loss, 2.0, 9.0, 40, 1.5) for first, wall, loss in ((0.5, 10.0, 1.0), (0.75, 30.0, 3.0))
    ]
    page = write(Run("Some Processor", 2, "bfloat16", (50, 20), 0.5, 2.0, 1_500_000_000, pairs), tmp_path / "RESULTS.md")
    assert (tmp_path / "RESULTS.md").read_text() == page
    assert "Some Processor, 2 cores, convolutions in bfloat16" in page
    assert "| first picture, longest of 2 | 0.75 s |" in page
    assert "(50 + 20 iterations), longest | 30.0 s |" in page
    assert "| most memory the process held | 1.50 GB |" in page
    assert "ours, median | 2.00 |" in page
    # 1,000 × 1.5 s over 10 s and 30 s: 150 and 50.
    assert "extrapolated), median | 100× |" in page
    assert "| a × b | 512 × 341 | 0.50 s | 10.0 s | 1.00 | 2.00 | 9.00 | 40 | 25 min | 150× |" in page
