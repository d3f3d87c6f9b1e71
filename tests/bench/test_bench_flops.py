from __future__ import annotations

import pytest

from bench.flops import Work, evaluation, network


def test_a_square_of_512_takes_378_thousand_million_operations_in_convolutions() -> None:
    # By hand: twice 2·9·in·out·positions over conv1_1 … conv5_1.
    by_hand = (
        2
        * 18
        * (
            512**2 * (3 * 64 + 64 * 64)
            + 256**2 * (64 * 128 + 128 * 128)
            + 128**2 * (128 * 256 + 3 * 256 * 256)
            + 64**2 * (256 * 512 + 3 * 512 * 512)
            + 32**2 * (512 * 512)
        )
    )
    assert by_hand / 1e9 == pytest.approx(378, abs=1)
    assert network(512, 512, grams=()).convolutions == by_hand


def test_gram_matrices_are_counted_in_both_directions() -> None:
    only = network(64, 64, ("relu1_1",), ("relu1_1",))
    without = network(64, 64, ("relu1_1",), ())
    assert only.exact - without.exact == only.convolutions - without.convolutions == 2 * 64**2 * 64**2


def test_shallower_layers_cost_less_and_levels_add_up() -> None:
    assert network(128, 128, ("relu4_1",)).total < network(128, 128).total
    assert evaluation(128, 96, 2) == network(128, 96) + network(64, 48)


def test_time_is_by_the_rate_of_each_precision() -> None:
    assert Work(300.0, 40.0).seconds("bfloat16", {"bfloat16": 100.0, "float32": 10.0}) == 7.0


def test_a_layer_that_the_network_does_not_have_is_refused() -> None:
    with pytest.raises(ValueError, match="relu9_9"):
        network(64, 64, ("relu9_9",))
