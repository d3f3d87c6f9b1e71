"""One picture's judgement as the page shows it: figures, a sentence, the map and the sum behind it."""

from __future__ import annotations

from dataclasses import dataclass

from app.core.verdicts import Band, Decision, Judgement, Neighbour, NeighbourKind, Role
from app.web.heat import Heat

TITLES: dict[Role, str] = {
    "content": "Photograph",
    "style": "Painting",
    "style2": "Second painting",
    "style3": "Third painting",
    "style4": "Fourth painting",
    "result": "Result",
    "picture": "Picture",
}
DECISIONS: dict[Decision, str] = {"original": "Original", "stylised": "Stylised", "uncertain": "Uncertain"}
_SAID: dict[Decision, str] = {
    "original": "It shows no trace of having been painted over.",
    "stylised": "It shows the traces of a picture painted over.",
    "uncertain": "It lies where the detector is wrong too often to say.",
}
_KINDS: dict[NeighbourKind, str] = {
    "photograph": "Photograph",
    "painting": "Painting",
    "style": "Picture used as a style",
    "adain": "Stylised by AdaIN",
    "optimiser": "Stylised by the optimiser",
}
_BAR = 100
# Digits of the evidence. With so many, a last one that does not add up is of no matter.
_FEWEST, _MOST = 2, 6


@dataclass(frozen=True)
class Sum:
    """Evidence added up: the three parts make the logit, each figure rounded by itself."""

    stylised: str
    original: str
    bias: str
    logit: str


@dataclass(frozen=True)
class Card:
    """A picture and what is said of it; ``judgement`` and ``heat`` are None until it has been judged."""

    role: Role
    name: str
    picture: str
    size: tuple[int, int]
    judgement: Judgement | None = None
    heat: Heat | None = None

    @property
    def title(self) -> str:
        return TITLES[self.role]

    @property
    def alt(self) -> str:
        """The picture and its map, for whoever cannot see them."""
        told = [f"The {self.title.lower()}{f', {self.name}' if self.name else ''}."]
        if self.heat and self.heat.strongest_for:
            told.append(f"Most speaks for stylised at the {self.heat.strongest_for}.")
        if self.heat and self.heat.strongest_against:
            told.append(f"Most speaks for original at the {self.heat.strongest_against}.")
        return " ".join(told)

    @property
    def band(self) -> str:
        """Where the uncertain band begins and ends, or that there is none."""
        return band_words(self.judged.band)

    @property
    def decision(self) -> str:
        return DECISIONS[self.judged.decision]

    @property
    def said(self) -> str:
        return _SAID[self.judged.decision]

    @property
    def percent(self) -> str:
        return percent(self.judged.probability)

    @property
    def marks(self) -> tuple[float, float, float]:
        """Start and width of the uncertain band, and the probability, as percent of the bar."""
        band = self.judged.band
        return round(band.low * _BAR, 2), round((band.high - band.low) * _BAR, 2), round(self.judged.probability * _BAR, 2)

    @property
    def neighbours(self) -> list[tuple[str, Neighbour]]:
        """The nearest training pictures, each with what it is."""
        return [(kind_words(one), one) for one in self.judged.neighbours]

    @property
    def sum(self) -> Sum:
        return added_up(self.judged)

    @property
    def judged(self) -> Judgement:
        if self.judgement is None:
            raise ValueError(f"the {self.role} has not been judged")
        return self.judgement


def band_words(band: Band) -> str:
    """Return between which probabilities the detector will not say, in words."""
    low, high = percent(band.low), percent(band.high)
    if band.low == band.high:
        return f"No uncertain band: stylised above {high}, original below"
    return f"Uncertain from {low} to {high}" if low != high else f"Uncertain only close to {low}"


def kind_words(neighbour: Neighbour) -> str:
    """Return what a training picture is; of one whose detector does not tell, the class it was taught as."""
    return _KINDS[neighbour.kind] if neighbour.kind else DECISIONS[neighbour.label]


def percent(probability: float) -> str:
    """Return a probability in percent. Close to certainty with one more digit, and never as certain."""
    value = probability * 100
    if value < 0.1:
        return "< 0.1 %"
    if value > 99.9:
        return "> 99.9 %"
    return f"{value:.1f} %" if value < 1 or value > 99 else f"{value:.0f} %"


def added_up(judgement: Judgement) -> Sum:
    """Return the sum of the cells for each side, the bias, and the logit.

    Each is rounded by itself, to two digits, or to as many more as let the figures add up as they are printed.
    """
    cells = judgement.evidence.cells
    parts = sum(cell for cell in cells if cell > 0), sum(cell for cell in cells if cell < 0), judgement.evidence.bias
    for digits in range(_FEWEST, _MOST + 1):
        if round(sum(round(part, digits) for part in parts) - round(judgement.logit, digits), digits) == 0:
            break
    return Sum(*(_signed(value, digits) for value in (*parts, judgement.logit)))


def _signed(value: float, digits: int) -> str:
    """Return a figure with its sign, a true minus among them."""
    text = f"{value:+.{digits}f}"
    return text[1:] if float(text) == 0 else text.replace("-", "−")
