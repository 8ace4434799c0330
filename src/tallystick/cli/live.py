"""Commands that make and run an installation: init, serve, demo."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tallystick.cli.connect import require_data
from tallystick.cli.console import say
from tallystick.cli.ledger import print_keys
from tallystick.cli.options import Config, Data, Json, State

if TYPE_CHECKING:
    from tallystick.server import Instance

Port = Annotated[int, typer.Option("--port", envvar="TALLYSTICK_PORT", min=0, max=65535, help="Port to listen on.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this module to the tree."""
    for command in (init, serve, demo):
        app.command()(command)


def init(
    data: Data = None,
    state: State = None,
    origin: Annotated[
        str | None, typer.Option("--origin", help="Name of the log, such as log.example.org/audit.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Make a data directory with an empty log.

    Prints the log's verification key; where there is a log already, only that.
    """
    from tallystick.server import open_instance, open_or_create, settings_for

    target = require_data(data, create=True)
    what = "there already: log" if (target / "ledger").exists() else "made: log"
    with open_instance(settings_for(target, state), opener=open_or_create(origin)) as instance:
        say(f"{what} {instance.ledger.origin} in {target}, last-signed record in {instance.settings.state}")
        say("Whoever is to check this log needs its verification key:")
        print_keys(instance.ledger, as_json=as_json)


def serve(
    data: Data = None,
    state: State = None,
    config: Config = None,  # noqa: ARG001  its callback has acted on it
    host: Annotated[
        str | None,
        typer.Option(
            "--host",
            envvar="TALLYSTICK_HOST",
            help="Address to listen on; beyond this machine TLS or a proxy is demanded.",
        ),
    ] = None,
    port: Annotated[
        int | None, typer.Option("--port", envvar="TALLYSTICK_PORT", min=0, max=65535, help="Port to listen on.")
    ] = None,
    public_url: Annotated[
        str | None,
        typer.Option("--public-url", envvar="TALLYSTICK_PUBLIC_URL", help="Address by which others reach the server."),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(
            "--workers", envvar="TALLYSTICK_WORKERS", min=0, max=64, help="Processes for admission; 0 is in the server."
        ),
    ] = None,
    tls_cert: Annotated[
        Path | None, typer.Option("--tls-cert", envvar="TALLYSTICK_TLS_CERT", help="Certificate chain (PEM).")
    ] = None,
    tls_key: Annotated[
        Path | None, typer.Option("--tls-key", envvar="TALLYSTICK_TLS_KEY", help="Its key (PEM).")
    ] = None,
    behind_proxy: Annotated[
        bool | None,
        typer.Option("--behind-proxy", envvar="TALLYSTICK_BEHIND_PROXY", help="A proxy on this machine ends TLS."),
    ] = None,
    database_url: Annotated[
        str | None,
        typer.Option(
            "--database-url",
            help="PostgreSQL database for the tables, without a password. [env var: TALLYSTICK_DATABASE_URL]",
        ),
    ] = None,
    witness: Annotated[
        list[str] | None,
        typer.Option("--witness", envvar="TALLYSTICK_WITNESS", help="VKEY@URL of a witness; repeat for more."),
    ] = None,
) -> None:
    """Serve the API on a data directory.

    The directory is made when it is missing.
    """
    from tallystick.config import DatabaseSetting, parse_public_url, parse_witness, settings_for
    from tallystick.serving import serve as run

    given = {
        "host": host,
        "port": port,
        "public_url": public_url and parse_public_url(public_url),
        "workers": workers,
        "tls_cert": tls_cert,
        "tls_key": tls_key,
        "behind_proxy": behind_proxy,
        "database": database_url and DatabaseSetting.from_option(database_url),
        "witnesses": tuple(parse_witness(text) for text in witness) if witness else None,
    }
    settings = settings_for(
        require_data(data, create=True), state, **{name: value for name, value in given.items() if value is not None}
    )
    run(settings, ready=_say_ready)


def _say_ready(instance: Instance, address: str) -> None:
    say(f"{instance.ledger.origin} listens on {address}")
    setup = instance.services.setup
    if setup.is_needed():
        at = instance.settings.public_url or address
        say("Nobody can sign in yet. Make the first account within 24 hours with this link; it works once:")
        say(f"{at}/setup?link={setup.make().token}")


def demo(
    data: Data = None,
    state: State = None,
    port: Port = 8400,
    events: Annotated[int, typer.Option("--events", min=1, help="How many events the demo organisation has.")] = 20_000,
    load_only: Annotated[bool, typer.Option("--load-only", help="Load the events and leave.")] = False,
) -> None:
    """Load the demo organisation, then serve it.

    It goes into a new data directory; how to read it is printed.
    """
    from tallystick.cli.demonstrate import demonstrate

    target = require_data(data, create=True)
    demonstrate(target, state or target.with_name(target.name + "-state"), port, events, load_only=load_only)
