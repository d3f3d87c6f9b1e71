"""What is done to a finished picture without painting again."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from app.core.specs import StyleParams


class Finish(BaseModel):
    """How a finished picture is shown and downloaded; the stored one stays as it was painted."""

    model_config = ConfigDict(frozen=True)

    strength: float = Field(1.0, ge=0.0, le=1.0, title="Strength", description="How much of the painting; the rest is the photograph.")
    colours: Literal["painting", "photograph"] = Field(
        "painting", title="Colours", description="As painted, or the photograph's colours under the painting's light and dark."
    )

    @classmethod
    def usual(cls, params: StyleParams) -> Finish:
        """Return how a picture painted with ``params`` is finished where nobody asks for anything else."""
        return cls(colours="photograph" if params.colours == "photograph" else "painting")
