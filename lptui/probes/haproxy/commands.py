"""What the HAProxy probe writes to a runtime socket, or asks of a statistics page."""

from __future__ import annotations

from typing import Final

READ: Final = (
    b"set severity-output number;show info;show stat;show servers state;show cli level;show table\n"
)
"""One line, several commands; HAProxy closes afterwards. Every command's answer is closed by an
empty line and holds none, so the setter's own answer is just an empty line:

    (empty)
    Name: HAProxy
    Version: 2.6.12-1+deb12u4
    …
    (empty)
    # pxname,svname,qcur,qmax,scur,…,
    web,FRONTEND,,,1,…,
    (empty)
    1
    # be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state …
    3 web 1 o1 192.0.2.11 2 0 100 100 12 6 3 4 6 0 0 0 - 8935 - 0 0 - - 0
    (empty)
    admin
    (empty)
    # table: web, type: ip, size:1024, used:0          (a line for each; often none)
    (empty)

Not allowed at this level: `Permission denied`; errors begin with `[3]: `.
"""

CSV_SUFFIX: Final = ";csv"
"""`GET /stats;csv` is the same table as `show stat`; addresses and algorithms may be empty."""
