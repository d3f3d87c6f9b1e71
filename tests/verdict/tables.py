"""Made-up tables: features with a part of the content, of the style, and of being stylised."""

from __future__ import annotations

import numpy as np

from workers.verdict.table import Table, of_columns


def grid(*, contents: int = 12, styles: int = 6, length: int = 40, signal: float = 3.0, noise: float = 0.5, seed: int = 0) -> Table:
    """Return each content as an original and in every style, by two generators in turn."""
    rng = np.random.default_rng(seed)
    of_content, of_style = rng.standard_normal((contents, length)), 0.5 * rng.standard_normal((styles, length))
    direction = rng.standard_normal(length) / np.sqrt(length) * signal
    rows = []
    for content in range(contents):
        rows.append((of_content[content], 0, f"c{content}", "", "", f"c{content}.png"))
        rows.extend(
            (
                of_content[content] + of_style[style] + direction,
                1,
                f"c{content}",
                f"s{style}",
                ("adain", "optimiser")[style % 2],
                f"c{content}-s{style}.png",
            )
            for style in range(styles)
        )
    features, *columns = zip(*rows, strict=True)
    noisy = np.array(features) + noise * rng.standard_normal((len(rows), length))
    return of_columns(noisy.astype(np.float32), *columns)
