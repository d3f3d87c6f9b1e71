"""``pentimento …``: everything that is done from a terminal. Heavy imports stay inside the commands."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.core.errors import InputError, PentimentoError
from app.core.specs import DEFAULT_PRESET, PRESETS
from app.local.options import with_style_options

if TYPE_CHECKING:
    from app.core.config import Settings

app = typer.Typer(
    name="pentimento",
    help="Paint one picture in the style of another, and watch it happen.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

detector = typer.Typer(help="Train and measure the detector behind the verdicts.", no_args_is_help=True)
app.add_typer(detector, name="detector")
lab = typer.Typer(help="Experiments from folders of pictures to a report, in this process.", no_args_is_help=True)
app.add_typer(lab, name="lab")

Photographs = Annotated[list[Path], typer.Option("--photos", help="Folder of photographs; give it again for more.", show_default=False)]
Paintings = Annotated[list[Path], typer.Option(help="Folder of real paintings; give it again for more.", show_default=False)]
Styles = Annotated[list[Path], typer.Option(help="Folder of styles; give it again for more.", show_default=False)]
Work = Annotated[Path, typer.Option(help="Folder for the pictures made and their features, kept between runs.", show_default=False)]
Seed = Annotated[int, typer.Option(min=0, help="Decides parts, pairs and recipes.")]
Host = Annotated[str | None, typer.Option(help="Address to listen on; default: PENTIMENTO_HOST, or 127.0.0.1.")]
_QUEUES = "stylize,verdict,experiment"
Queues = Annotated[str | None, typer.Option(help="Which jobs it takes, with commas between; default: all of them.", metavar=_QUEUES)]
Port = Annotated[int | None, typer.Option(help="Port to listen on, 0 for a free one; default: PENTIMENTO_PORT, or 8000.")]


@app.command()
def serve(host: Host = None, port: Port = None) -> None:
    """Run everything on this machine: broker, worker and web server, until Ctrl-C."""
    from app.local import stack
    from app.local.terminal import prepare_weights, say

    settings = _settings(host=host, port=port)
    stack.serve(settings, say, lambda: prepare_weights(settings))


@app.command()
def web(
    host: Host = None,
    port: Port = None,
    fd: Annotated[int | None, typer.Option(help="Open socket to listen on instead, as `serve` passes it.", hidden=True)] = None,
) -> None:
    """Run the web server alone; it needs PENTIMENTO_REDIS_URL and a worker elsewhere."""
    from app.local.commands import run_web

    run_web(_settings(host=host, port=port), fd)


@app.command()
def worker(
    queues: Queues = None,
    concurrency: Annotated[int, typer.Option(min=1, help="Jobs at the same time: one a GPU; one on a CPU.")] = 1,
) -> None:
    """Run a worker alone; it needs PENTIMENTO_REDIS_URL, and the web server's database and picture store."""
    from app.local.commands import queues_of, run_worker
    from app.local.terminal import prepare_weights

    settings, named = _settings(), queues_of(queues)
    prepare_weights(settings)
    run_worker(settings, concurrency, named)


@app.command()
def fetch() -> None:
    """Fetch the network weights and page scripts into the cache, and check them."""
    from app.local.terminal import prepare_weights, say

    settings = _settings()
    prepare_weights(settings)
    say(f"Network weights and scripts are complete in {settings.cache}.")


@app.command()
def doctor(as_json: Annotated[bool, typer.Option("--json", help="For programs: a JSON list.")] = False) -> None:
    """Look at this machine and say what is there, what is missing and what to do."""
    from app.local.doctor import examine, show

    findings = examine(_settings())
    show(findings, as_json)
    if any(finding.state == "fail" for finding in findings):
        raise typer.Exit(1)


@app.command()
def backup(folder: Annotated[Path, typer.Argument(help="New or empty folder that it goes into.", show_default=False)]) -> None:
    """Copy database, pictures and secret into FOLDER, whether everything runs or nothing does."""
    from app.local.backup import back_up
    from app.local.terminal import say, transfer_bar

    settings = _settings()
    with transfer_bar() as show:
        copied = back_up(settings, folder, show)
    say(f"Backed up {copied.files} files ({copied.bytes / 1e6:.1f} MB) of {settings.data} into {folder}.")


@app.command()
def restore(folder: Annotated[Path, typer.Argument(help="Folder of a backup.", show_default=False)]) -> None:
    """Put the backup in FOLDER into the data folder, which must be new or empty."""
    from app.local import backup
    from app.local.terminal import say, transfer_bar

    settings = _settings()
    with transfer_bar() as show:
        copied = backup.restore(settings, folder, show)
    say(f"Restored {copied.files} files ({copied.bytes / 1e6:.1f} MB) into {settings.data}.")


@app.command()
def sbom(extra: Annotated[str, typer.Option(help="Whose packages: of the CPU or of the GPU.", metavar="cpu|gpu")] = "cpu") -> None:
    """Print what the program is made of, with versions and hashes: a bill of materials as CycloneDX JSON."""
    import json

    from app.local.sbom import bill

    typer.echo(json.dumps(bill(extra), indent=2))


@app.command()
def health(
    alive: Annotated[bool, typer.Option("--alive", help="Only whether the web server answers.")] = False,
    worker: Annotated[bool, typer.Option("--worker", help="Whether this machine's worker is there.")] = False,
    queues: Annotated[str | None, typer.Option(help="With --worker: of which queues; default: of any.", metavar=_QUEUES)] = None,
) -> None:
    """Exit with 0 if the web server and all it needs are well, with 1 if not; for containers."""
    from app.local.commands import queues_of
    from app.local.health import web_is_alive, web_is_ready, worker_is_ready

    settings = _settings()
    if worker:
        well = worker_is_ready(settings, queues_of(queues) if queues else ())
    else:
        well = web_is_alive(settings) if alive else web_is_ready(settings)
    if not well:
        raise typer.Exit(1)


@app.command()
@with_style_options
def stylize(
    photo: Annotated[Path, typer.Argument(help="The photograph.", show_default=False)],
    style: Annotated[list[Path], typer.Option("--style", "-s", help="The painting whose style it gets; up to four.", show_default=False)],
    output: Annotated[Path, typer.Option("--output", "-o", help="Where the picture goes: .png, .jpg or .tif.", show_default=False)],
    weight: Annotated[list[float] | None, typer.Option(help="One for each --style: how much it counts.", show_default=False)] = None,
    mask: Annotated[
        list[Path] | None, typer.Option(help="One for each --style: a picture, white where it rules; - for none.", show_default=False)
    ] = None,
    part: Annotated[
        list[Path] | None, typer.Option(help="One for each --style: white where it is taken from; - for all of it.", show_default=False)
    ] = None,
    protect: Annotated[Path | None, typer.Option(help="A picture, white where the photograph stays as it is.", show_default=False)] = None,
    depth: Annotated[int, typer.Option(help="Bits a channel of a PNG: 8 or 16. A TIFF has 16.", metavar="8|16")] = 8,
    preset: Annotated[str, typer.Option(help="Values of all options not given.", metavar="|".join(PRESETS))] = DEFAULT_PRESET,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the output file.")] = False,
    **parameters: Any,
) -> None:
    """Paint PHOTO in the style of another picture, or of several, in this process. Ctrl-C keeps the best picture so far."""
    from app.core.specs import resolve
    from app.local.painting import Order, paint

    changes = {name: value for name, value in parameters.items() if value is not None}
    params = resolve(preset, changes)
    masks, parts = (tuple(None if str(path) == "-" else path for path in given or ()) for given in (mask, part))
    paint(_settings(), Order(photo, tuple(style), output, preset, params, force, tuple(weight or ()), protect, depth, masks, parts))


@app.command()
def verdict(
    pictures: Annotated[list[Path], typer.Argument(help="Picture files.", metavar="FILE...", show_default=False)],
    as_json: Annotated[bool, typer.Option("--json", help="For programs: a JSON list.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="For spreadsheets: comma-separated values.")] = False,
) -> None:
    """Tell whether pictures are originals or stylised. A file that cannot be read has its error said, and the exit status is 1."""
    from app.local.judging import judge_files, show

    if as_json and as_csv:
        raise InputError("Choose one of --json and --csv.", field="json")
    found = judge_files(_settings(), pictures)
    show(found, "json" if as_json else "csv" if as_csv else "table")
    if any(one.error for one in found):
        raise typer.Exit(1)


@detector.command("train")
def train_detector(
    photographs: Photographs,
    paintings: Paintings,
    styles: Styles,
    output: Annotated[Path, typer.Option("--output", "-o", help="Where the detector's file goes.", show_default=False)],
    work: Work,
    seed: Seed = 0,
    adain: Annotated[int, typer.Option(min=0, help="Stylised pictures by AdaIN, 256 to 512 pixels, over all parts.")] = 1500,
    optimiser: Annotated[int, typer.Option(min=0, help="Stylised pictures by the optimiser, 256 to 320 pixels: about 5 s each.")] = 700,
    make: Annotated[bool, typer.Option(help="Make pictures that are not there yet, or train on those that are.")] = True,
) -> None:
    """Train a detector on pictures that this program stylises itself. Stop with Ctrl-C and start again where it was."""
    from app.local import detecting

    settings, shop = _settings(), detecting.Workshop(tuple(photographs), tuple(paintings), tuple(styles), work, seed)
    if make:
        detecting.make(settings, shop, adain, optimiser)
    detecting.train(settings, shop, output)


@detector.command("evaluate")
def evaluate_detector(
    photographs: Photographs,
    paintings: Paintings,
    styles: Styles,
    work: Work,
    seed: Seed = 0,
    file: Annotated[Path | None, typer.Option("--detector", help="The detector's file; default: the shipped one.")] = None,
    elsewhere: Annotated[list[Path] | None, typer.Option(help="Folder of pictures stylised by another program, never trained on.")] = None,
    report: Annotated[Path | None, typer.Option(help="Where the figures go as JSON.")] = None,
) -> None:
    """Measure a detector on the test part of the pictures that it was trained from: the model card's figures."""
    from app.local import detecting

    shop = detecting.Workshop(tuple(photographs), tuple(paintings), tuple(styles), work, seed)
    detecting.evaluate(_settings(), shop, file, tuple(elsewhere or ()), report)


@lab.command("run")
def run_experiment(
    config: Annotated[Path, typer.Argument(help="TOML file of folders, generators and the experiment.", show_default=False)],
) -> None:
    """Stylise contents, train, classify and report, as CONFIG says. Ctrl-C reports what is finished."""
    from app.local import experimenting, lab_config

    experimenting.show(experimenting.run(_settings(), lab_config.read(config)))


@lab.command("hypothesis")
def test_hypothesis(
    folder: Annotated[Path, typer.Argument(help="Labelled pictures: class/... or domain/class/...", show_default=False)],
    styles: Styles,
    unseen: Annotated[
        list[Path] | None, typer.Option(help="Folder of styles kept for the test; default: a random half of the styles.")
    ] = None,
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder of the report's files.")] = Path("hypothesis"),
    train_domain: Annotated[str | None, typer.Option(help="Domain to train on; default: photo, or the first by name.")] = None,
    per_class: Annotated[int | None, typer.Option(help="Most pictures of a class in each domain; default: 100.")] = None,
    copies: Annotated[int | None, typer.Option(help="Jittered, and stylised, copies of a picture; default: 2.")] = None,
    rounds: Annotated[int | None, typer.Option(help="Times each training picture is drawn twice; default: 100.")] = None,
    seeds: Annotated[int | None, typer.Option(help="How many times everything is divided and trained anew; default: 5.")] = None,
    seed: Seed = 0,
    resamples: Annotated[int | None, typer.Option(help="Bootstrap samples behind each interval; default: 2000.")] = None,
    classify: Annotated[
        str | None, typer.Option(help="What the classifier sees after a contrastive stage; default: embedding.", metavar="embedding|both")
    ] = None,
) -> None:
    """Test whether style transfer and contrastive learning make classification better. Ctrl-C reports the seeds that are finished."""
    from app.local import hypothesis

    given = {
        "train_domain": train_domain,
        "per_class": per_class,
        "copies": copies,
        "rounds": rounds,
        "seeds": seeds,
        "resamples": resamples,
    }
    spec = hypothesis.spec_of({**given, "seed": seed})
    hypothesis.show(hypothesis.run(_settings(), hypothesis.Order(folder, tuple(styles), tuple(unseen or ()), output, spec)))


@detector.command("study")
def study_detector(photographs: Photographs, paintings: Paintings, styles: Styles, work: Work, seed: Seed = 0) -> None:
    """Change one choice of the training at a time and measure it on the validation part: the table in docs/detector.md."""
    from app.local import detecting

    detecting.study(_settings(), detecting.Workshop(tuple(photographs), tuple(paintings), tuple(styles), work, seed))


def _settings(**given: Any) -> Settings:
    from pydantic import ValidationError

    from app.core.config import Settings

    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0])
        received = "" if Settings.is_confidential(name) else f" Received: {first['input']!r}"
        raise InputError(f"PENTIMENTO_{name.upper()}: {first['msg'][:1].lower()}{first['msg'][1:]}.{received}") from error


def main() -> None:
    """Run the command; an error raised on purpose is one line, and a mistake of the user's ends with 2."""
    from app.local.terminal import complain

    # TensorFlow's notes on how it was compiled, in this process and in a worker that it becomes.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    try:
        app(prog_name="pentimento")
    except PentimentoError as error:
        complain(error.message)
        sys.exit(2 if isinstance(error, InputError) else 1)
    except KeyboardInterrupt:
        complain("Stopped.")
        sys.exit(130)


if __name__ == "__main__":
    main()
