"""``gristmill sign``: to vouch for a model that is there already."""

from typing import Annotated

import typer

from gristmill.paths import project_paths


def sign(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="NAME@alias, NAME/VERSION or a model directory.")],
    replace: Annotated[  # noqa: FBT002 - a switch of the command line
        bool, typer.Option("--replace", help="Also where a key that is not here has signed it.")
    ] = False,
) -> None:
    """Vouch for MODEL: sign its manifest with the key in GRISTMILL_SIGNING_KEY.

    Its files are held against its manifest, and a registered version against the registry, before that. Neither tells who made
    them: sign only what you know to come from a build of yours, because with the key set whatever is signed is loaded. Builds
    sign by themselves.
    """
    from gristmill.modeling.artifact import signing  # noqa: PLC0415
    from gristmill.registry.references import resolve  # noqa: PLC0415

    found = resolve(model, project_paths())
    manifest, written = signing.sign(found.directory, found.digest, replace=replace)
    said = "Signed" if written else "Already signed with this key:"
    typer.echo(f"{said} {found.directory}, digest {manifest.digest[:12]}.")
