"""The command line: every capability of the product, one command each.

Results go to standard output, diagnostics to standard error; `--json` gives a machine's form of both. Heavy parts
of the product are imported inside the command that needs them, so that `verify-proof` starts in an instant and
works without the server's packages.
"""

from __future__ import annotations

__all__ = ["main"]


def main() -> None:
    """Run the command line and leave with its exit status."""
    import gc

    # The hundreds of thousands of objects that imports make all stay: looking through them again and again is a tenth of
    # what a short command costs.
    gc.set_threshold(50_000, 20, 100)
    from tallystick.cli.app import run

    run()
