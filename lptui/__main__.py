"""`python -m lptui` and the `lptui` command."""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Runs the command line; the process ends with its exit code.

    It ends at once: everything is closed and written by then, and neither a thread that still
    waits for a name server or a dead mount nor the interpreter's own tidying is worth waiting for.
    """
    from lptui.cli import run

    code = run(sys.argv[1:])
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
