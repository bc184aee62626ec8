"""The simulated fleet as a configuration file, for runs of the console as another process."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Final

from lptui.fleet.backups import Backup
from lptui.fleet.declared import DeclaredCommand
from lptui.fleet.guards import Guards
from lptui.fleet.retry import RewardRetry
from lptui.fleet.topology import (
    Balancer,
    Endpoint,
    Fleet,
    Host,
    Intervals,
    Node,
    Rpc,
    Service,
    SupervisorKind,
    Thresholds,
)

Tree = Mapping[str, object]
_PLAIN: Final = re.compile(r"[A-Za-z/][A-Za-z0-9_./-]*")
_WORDS: Final = frozenset({"true", "false", "null", "yes", "no", "on", "off"})


def config_text(fleet: Fleet) -> str:
    """YAML that describes the fleet; reading it gives an equal one but for `demo`."""
    tree: dict[str, object] = {
        "name": fleet.name,
        "ssh": {"known_hosts": fleet.known_hosts, "config": []},
        "hosts": {name: _host(host) for name, host in fleet.hosts.items()},
        "rpcs": {name: _rpc(rpc) for name, rpc in fleet.rpcs.items()},
        "nodes": {name: _node(node) for name, node in fleet.nodes.items()},
        "balancers": {name: _balancer(one) for name, one in fleet.balancers.items()},
        "signers": {s.name: {"address": s.address, "role": s.role} for s in fleet.signers},
        "commands": {name: _command(command) for name, command in fleet.commands.items()},
        "guards": _guards(fleet.guards),
        "thresholds": _thresholds(fleet.thresholds),
        "intervals": {
            field.name: f"{getattr(fleet.intervals, field.name):g}s" for field in fields(Intervals)
        },
    }
    if fleet.chain is not None:
        chain = fleet.chain
        tree["chain"] = {
            "network": chain.network,
            "chain_id": chain.chain_id,
            "controller": chain.controller,
            "rpcs": list(chain.rpcs),
            "block_time": f"{chain.block_seconds:g}s",
            "reward_retry": _retry(chain.reward_retry),
            "lpt_price": None if chain.lpt_price is None else f"{chain.lpt_price} wei",
            "orchestrators": {
                one.name: {
                    "address": one.address,
                    "service_uri": one.service_uri,
                    "reward_caller": one.reward_caller,
                }
                for one in chain.orchestrators
            },
        }
    return "\n".join(_lines(tree, 0)) + "\n"


def _retry(allowed: RewardRetry | None) -> Tree | None:
    if allowed is None:
        return None
    price = allowed.max_gas_price
    return {
        "tries": allowed.tries,
        "spacing": f"{allowed.spacing_s:g}s",
        "after": f"{allowed.after_s:g}s",
        "last_blocks": allowed.last_blocks,
        "max_gas_price": None if price is None else f"{price} wei",
    }


def _host(host: Host) -> Tree:
    ssh = host.ssh
    if ssh is None:
        return {"local": True}
    return {
        "address": ssh.address,
        "port": ssh.port,
        "user": ssh.user,
        "identities": list(ssh.identities),
        "region": host.region or None,
        "tags": sorted(host.tags),
        "mounts": list(host.mounts) or None,
        "gpus": host.gpus,
        "backups": {one.name: _backup(one) for one in host.backups},
    }


def _backup(backup: Backup) -> Tree:
    return {
        "path": backup.path,
        "max_age": f"{backup.max_age_s:g}s",
        "min_size": f"{backup.min_size} B",
        "checksum": backup.checksum,
    }


def _rpc(rpc: Rpc) -> Tree:
    return {
        "url": rpc.url,
        "via": rpc.via or "direct",
        "node": rpc.node,
        "chain_id": rpc.chain_id,
        "reference": rpc.reference or None,
    }


def _node(node: Node) -> Tree:
    return {
        "host": node.host,
        "roles": sorted(role.value for role in node.roles),
        **_service(node.service),
        "cli": _endpoint(node.cli),
        "metrics": _endpoint(node.metrics),
        "account": node.account,
        "recipient": node.recipient,
        "service_uri": node.service_uri,
        "rpc": node.rpc,
        "transcoders": node.transcoders,
        "standby_for": node.standby_for,
        "environment_file": node.environment_file,
        "keystore_check": node.keystore_check or None,
        "tags": sorted(node.tags) or None,
    }


def _service(service: Service | None) -> Tree:
    if service is None:
        return {}
    key = "unit" if service.kind is SupervisorKind.SYSTEMD else "container"
    return {key: service.name}


def _balancer(balancer: Balancer) -> Tree:
    return {
        "kind": balancer.kind.value,
        "host": balancer.host,
        "socket": balancer.socket,
        "config": balancer.config_path,
        "stats": _endpoint(balancer.stats),
        "stub_status": _endpoint(balancer.stub_status),
        "public_uri": balancer.public_uri,
        "servers": dict(balancer.servers),
        "backends": list(balancer.backends) or None,
    }


def _endpoint(endpoint: Endpoint | None) -> Tree | None:
    return None if endpoint is None else {"url": endpoint.url, "via": endpoint.via or "direct"}


def _command(command: DeclaredCommand) -> Tree:
    return {
        "run": list(command.run),
        "on": list(command.on),
        "effect": command.effect,
        "help": command.help or None,
        "confirm": command.confirm or None,
        "timeout": f"{command.timeout_s:g}s",
        "check": list(command.check) or None,
        "undo": list(command.undo) or None,
        "as_root": command.as_root,
    }


def _guards(guards: Guards) -> Tree:
    return {
        "min_backends": guards.min_backends,
        "max_unavailable": guards.max_unavailable,
        "cool_down": f"{guards.cool_down_s:g}s",
        "safe_blocks": guards.safe_blocks,
    }


def _thresholds(limits: Thresholds) -> Tree:
    """Only what the demo changes."""
    return {
        "reward_grace": f"{limits.reward_grace_s:g}s",
        "reward_critical_blocks": limits.reward_critical_blocks,
        "round_init_grace": f"{limits.round_init_grace_s:g}s",
        "pending_nonce": f"{limits.pending_nonce_s:g}s",
    }


def _lines(tree: Tree, depth: int) -> Iterator[str]:
    """Block style; what is None is left out."""
    indent = "  " * depth
    for key, value in tree.items():
        if value is None:
            continue
        name = _scalar(key)
        if isinstance(value, Mapping):
            if value:
                yield f"{indent}{name}:"
                yield from _lines(value, depth + 1)
        elif isinstance(value, list):
            yield f"{indent}{name}: [{', '.join(_scalar(item) for item in value)}]"
        else:
            yield f"{indent}{name}: {_scalar(value)}"


def _scalar(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    text = str(value)
    if _PLAIN.fullmatch(text) and text.lower() not in _WORDS:
        return text
    return json.dumps(text)
