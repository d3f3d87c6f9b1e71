from __future__ import annotations

import pytest

from workers.style.plateau import is_reached


def falling(percent_each: float, count: int) -> list[float]:
    return [100.0 * (1 - percent_each / 100) ** n for n in range(count)]


@pytest.mark.parametrize(
    ("losses", "percent", "reached"),
    [
        # By hand: 0.1 % each is 1 − 0.999¹⁰ = 0.9955 % over ten.
        (falling(0.1, 11), 1.0, True),
        (falling(0.1, 11), 0.99, False),
        # Ten numbers are nine steps.
        (falling(0.1, 10), 1.0, False),
        # What was before does not count.
        (falling(50.0, 20) + [1e-4] * 11, 1.0, True),
        ([1.0] * 11, 0.0, False),
        ([0.0] * 11, 1.0, False),
    ],
)
def test_less_than_the_percentage_over_ten_steps_ends_a_scale(losses: list[float], percent: float, reached: bool) -> None:
    assert is_reached(losses, percent) == reached
