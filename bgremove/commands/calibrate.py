"""`bgremove calibrate`: measure the value ranges from which a model's int8 form is built."""

from __future__ import annotations

from pathlib import Path

import click

from bgremove.commands.common import manual, read_settings
from bgremove.errors import BgremoveError
from bgremove.inference.manifest import load_manifest, manifest_path
from bgremove.inference.verify import state_of

EPILOG = manual(
    examples={"bgremove calibrate u2net photos/": "from a folder of varied photographs"},
    exit_codes={0: "the table was written", 1: "the table could not be made", 2: "wrong usage"},
    environment={"BGREMOVE_WEIGHTS_DIR": "folder of the models and the table"},
)


@click.command("calibrate", epilog=EPILOG, short_help="Measure a model's calibration table.")
@click.argument("name")
@click.argument("pictures", type=click.Path(exists=True, file_okay=False, path_type=Path))
def command(name: str, pictures: Path) -> None:
    """Measure the calibration table of model NAME on a folder of PICTURES.

    The next `bgremove weights` builds the int8 form from it. Then update the manifest: the SHA-256
    of the table, which is printed, and that of the int8 form and its known answer.
    """
    from bgremove.provisioning.quantization.calibrate import calibrate as make_table

    settings = read_settings()
    try:
        model = load_manifest(settings.weights_dir).model(name)
        shown = model.quantised
        if model.int8 is None or shown is None:
            raise click.ClickException(f"{name} has no int8 form in the manifest")
        table = manifest_path(settings.weights_dir).parent / model.int8.ranges
        make_table(shown, settings.weights_dir / model.file, pictures, table, model.int8.quantile)
    except (BgremoveError, ValueError) as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{table.name}: written, SHA-256 {state_of(table)[0]}")
