"""Asks a contract whether it would accept a call now; that costs nothing and changes nothing."""

from __future__ import annotations

from lptui.actions.plan import Outcome, Plan, Result
from lptui.actions.replies import Verdict, understand
from lptui.actions.spec import Execution
from lptui.actions.transaction import Evidence, only_watch
from lptui.errors import LptuiError
from lptui.transport.protocols import Call


async def rehearse(
    plan: Plan, rpc: str, call: Call, execution: Execution, evidence: Evidence
) -> Result | None:
    """The plan's result when it must not be sent; None when the contract would accept it.

    Where the endpoint cannot tell it goes on: the node asks the contract as well.
    """
    from lptui.probes.chain import dry_run

    try:
        said = await dry_run.dry_run(execution.reach.rpc(rpc), call)
    except LptuiError as error:
        execution.progress(f"could not try the call out: {error}")
        return None
    if not said:
        return None
    reply = understand(500, said)
    if reply.verdict is Verdict.ALREADY:
        # Somebody was faster: sending it now would only cost gas.
        return await only_watch(plan, execution, evidence, said)
    why = f"the contract would refuse: {said}"
    return Result(plan, Outcome.REFUSED, why, remedy=reply.remedy)
