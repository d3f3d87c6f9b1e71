"""`pentimento detector`: the shipped detector made anew, and measured."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from app.core.config import Settings
from app.core.version import VERSION
from app.infra import files
from app.local import making, training_bank
from app.local.terminal import console, hushed, prepare_weights, say
from app.local.training_plan import Part, Sources, plan, sources

if TYPE_CHECKING:
    from workers.verdict.feature_cache import FeatureCache
    from workers.verdict.training import Bank


@dataclass(frozen=True)
class Workshop:
    """Where the pictures come from and where the work lies.

    Attributes:
        photographs, paintings, styles: folders.
        work: gets ``pictures`` with their manifest, and the features' cache.
        seed: decides parts, pairs and recipes.
    """

    photographs: tuple[Path, ...]
    paintings: tuple[Path, ...]
    styles: tuple[Path, ...]
    work: Path
    seed: int

    @property
    def sources(self) -> Sources:
        return sources(self.photographs, self.paintings, self.styles)

    @property
    def pictures(self) -> Path:
        return self.work / "pictures"


def make(settings: Settings, shop: Workshop, adain: int, optimiser: int) -> None:
    """Make the stylised pictures that are not there yet; Ctrl-C keeps those that are."""
    rows = plan(shop.sources, adain, optimiser, shop.seed)
    prepare_weights(settings)
    console.print("Loading the networks ...")
    with hushed():
        from workers.style.variants import Variants

        paint = Variants(settings).paint
    with _bar("Making pictures", len(rows)) as move:
        for made in making.make(rows, shop.pictures, paint):
            move(made.done, f"{made.remaining / 60:.0f} min left")
            if made.error:
                console.print(f"{made.row.name}: {made.error}")


def train(settings: Settings, shop: Workshop, output: Path) -> None:
    """Describe, fit, calibrate and write the detector."""
    cache = _cache(settings, shop)
    bank, validation = (_bank(cache, shop, part) for part in ("train", "validation"))
    from app.core.features import DETECTOR_FEATURES
    from workers.verdict.detector import from_bytes, to_bytes
    from workers.verdict.training import train as fit

    counts = {part: _counts(one) for part, one in (("train", bank), ("validation", validation))}
    facts = {"version": VERSION, "seed": shop.seed, "precision": cache.precision, "pictures": counts}
    with console.status("Fitting ..."):
        detector = fit(DETECTOR_FEATURES, bank, validation, facts)
    data = to_bytes(detector)
    files.write(output, data, private=False)
    say(f"{output}: {len(data):,} bytes, SHA-256 {from_bytes(data).digest}, band {detector.band.low} to {detector.band.high}.")


def evaluate(settings: Settings, shop: Workshop, file: Path | None, strangers: tuple[Path, ...], report: Path | None) -> None:
    """Measure a detector on the test part and on pictures of generators that are not ours, and print Markdown.

    The lines "without" come from detectors fitted anew without one generator's pictures.

    Args:
        file: the detector; None for the shipped one.
        strangers: folders of stylised pictures from elsewhere, one generator each, with contents and styles of the test part.
        report: gets the figures as JSON.
    """
    cache = _cache(settings, shop)
    from workers.verdict import card
    from workers.verdict.detector import SHIPPED, read

    detector = read(file or SHIPPED)
    bank = _bank(cache, shop, "test", [item for folder in strangers for item in training_bank.elsewhere(folder)])
    with console.status("Measuring ..."):
        lines = list(card.lines(detector.logits(bank.features), bank, detector.band))
    learnt = _bank(cache, shop, "train")
    with console.status("Fitting without one generator at a time ..."):
        lines += card.left_out(learnt, bank)
    say(card.markdown(lines))
    if report:
        facts = {"detector": detector.digest, "facts": detector.facts, "lines": [card.as_dict(line) for line in lines]}
        files.write(report, (json.dumps(facts, indent=1) + "\n").encode(), private=False)


def study(settings: Settings, shop: Workshop) -> None:
    """Print what one choice changed at a time gives on the validation part."""
    cache = _cache(settings, shop)
    bank, validation = (_bank(cache, shop, part) for part in ("train", "validation"))
    from workers.verdict.study import markdown, outcomes

    with console.status("Fitting in several ways ..."):
        found = list(outcomes(bank, validation))
    say(markdown(found))


def _bank(cache: FeatureCache, shop: Workshop, part: Part, more: Sequence[training_bank.Item] = ()) -> Bank:
    chosen = [*training_bank.items(shop.sources, part, shop.seed, shop.pictures), *more]
    views = training_bank.worn_views if part == "train" else lambda _: training_bank.TEST_VIEWS
    with _bar(f"Describing the {part} part", len(chosen)) as move:
        return training_bank.describe(cache, chosen, views, on_progress=lambda done, total: move(done, "", total))


def _cache(settings: Settings, shop: Workshop) -> FeatureCache:
    prepare_weights(settings)
    with hushed():
        from workers.verdict.feature_cache import FeatureCache
        from workers.verdict.features import Extractor

        return FeatureCache(Extractor(settings), shop.work / "features")


def _counts(bank: Bank) -> dict[str, int]:
    clean = bank.group[bank.view == "clean"].tolist()
    return {name: clean.count(name) for name in sorted(set(clean))}


@contextmanager
def _bar(title: str, total: int) -> Iterator[Any]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.fields[note]}"))
    with Progress(*columns, console=console) as progress:
        task = progress.add_task(title, total=total, note="")
        yield lambda done, note="", total=total: progress.update(task, completed=done, total=total, note=note)
