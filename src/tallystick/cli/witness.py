"""`tallystick witness`: the small witness to run on someone else's machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tallystick.cli.console import out, plain, say

app = typer.Typer(help="Keep an eye on somebody's log from another machine.", no_args_is_help=True)


@app.command()
def serve(
    data: Annotated[Path, typer.Option("--data", help="Where the witness keeps its key and what it has seen.")],
    log: Annotated[list[str], typer.Option("--log", help="Verification key of a log to witness; repeat for more.")],
    name: Annotated[str, typer.Option("--name", help="Name of this witness, such as witness.example.org.")],
    host: Annotated[str, typer.Option("--host", help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="Port to listen on.")] = 7380,
) -> None:
    """Cosign the checkpoints of the named logs (C2SP tlog-witness).

    Every checkpoint that forks is refused.
    """
    from tallystick.witness.server import WitnessServer
    from tallystick.witness.server import serve as run

    def ready(server: WitnessServer) -> None:
        say(f"witness {name} listens on http://{host}:{server.port}")
        say("Give this key to the log's operator (serve --witness KEY@URL) and to whoever verifies:")
        out.print(plain(server.witness.vkey))

    run(host, port, data, name, log, ready=ready)
