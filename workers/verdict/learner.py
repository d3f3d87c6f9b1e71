"""What a contrastive stage is to an evaluation: something that learns from the training part and then embeds any picture."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from app.core.experiments import OnTrainStep
from workers.verdict.table import Table

# (n, d) features to (n, k) embeddings.
Embed = Callable[[NDArray[np.float32]], NDArray[np.floating]]

# Training part, test part, seed, callback. The test part is to be watched only: it may enter the
# steps' held-out figures, and nothing that is learnt.
Learner = Callable[[Table, Table, int, OnTrainStep], Embed]
