"""`python -m lptui` and the `lptui` command."""

from __future__ import annotations

import sys


def main() -> None:
    """Runs the command line; the process ends with its exit code."""
    from lptui.cli import run

    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
