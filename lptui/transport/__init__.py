"""How a fleet is reached: SSH, shells, HTTP and JSON-RPC inside SSH, behind small protocols."""

from __future__ import annotations

import sys

# Where click and rich are installed, httpx loads its own command line with them, for half of the
# time that it takes to import. What is None here cannot be imported, and httpx goes on without.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]
