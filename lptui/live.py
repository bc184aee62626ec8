"""The live session behind the screen: opens the fleet, collects, plans and executes.

Nothing heavy is imported before `start`, so that the first frame does not wait for it.
"""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from lptui.errors import LptuiError, RefusedError

if TYPE_CHECKING:
    from pathlib import Path

    from lptui.actions.plan import Plan, Request, Result
    from lptui.collector.collector import Collector
    from lptui.fleet.snapshot import Snapshot
    from lptui.session import Session


class LiveSession:
    """A fleet that is being watched; `lptui.tui.session.Session` says what each method does."""

    def __init__(
        self,
        *,
        config: Path | None = None,
        scenario: str | None = None,
        demo_hosts: int | None = None,
        read_only: bool = False,
        interval_s: float | None = None,
    ) -> None:
        self.title = "demo" if scenario is not None else str(config)
        self.read_only = read_only
        self.demo = scenario is not None
        self._source = {"config": config, "scenario": scenario, "demo_hosts": demo_hosts}
        self._interval_s = interval_s
        self._session: Session | None = None
        self._collector: Collector | None = None
        self._waiting: list[Callable[[Snapshot], None]] = []

    async def start(self) -> None:
        module: Any = await asyncio.to_thread(importlib.import_module, "lptui.session")
        source = module.Source(**self._source)
        session: Session = await module.Session.open(source, read_only=self.read_only)
        self._session = session
        self.title = session.fleet.name
        await asyncio.to_thread(lambda: session.probes)
        self._collector = session.collector()
        for callback in self._waiting:
            self._collector.subscribe(callback)
        self._waiting.clear()
        if self._interval_s is not None:
            self._collector.set_fast_interval(self._interval_s)
        self._collector.start()

    def subscribe(self, callback: Callable[[Snapshot], None]) -> Callable[[], None]:
        if self._collector is not None:
            return self._collector.subscribe(callback)
        self._waiting.append(callback)
        return lambda: self._forget(callback)

    def _forget(self, callback: Callable[[Snapshot], None]) -> None:
        if callback in self._waiting:
            self._waiting.remove(callback)

    def set_interval(self, seconds: float) -> None:
        self._interval_s = seconds
        if self._collector is not None:
            self._collector.set_fast_interval(seconds)

    def pause(self) -> None:
        if self._collector is not None:
            self._collector.pause()

    def resume(self) -> None:
        if self._collector is not None:
            self._collector.resume()

    async def plan(self, action_id: str, request: Request) -> Plan:
        from lptui.actions.registry import action

        found = action(action_id)
        if found is None:
            raise LptuiError(action_id, "no such action")
        if self.read_only:
            raise RefusedError(found.spec.title, "this console is read-only")
        if self._collector is None or self._session is None:
            raise RefusedError(found.spec.title, "nothing has been read yet", "wait a moment")
        return self._session.runner.plan(found, self._collector.snapshot, request)

    async def execute(self, plan: Plan, progress: Callable[[str], None]) -> Result:
        from lptui.actions.registry import action

        found = action(plan.action)
        if found is None or self._session is None:
            raise LptuiError(plan.action, "no such action")
        try:
            return await self._session.runner.run(found, plan, progress)
        finally:
            if self._collector is not None:
                self._collector.refresh(*found.spec.probes, "chain-events")

    async def close(self) -> None:
        if self._collector is not None:
            await self._collector.stop()
        if self._session is not None:
            await self._session.close()
