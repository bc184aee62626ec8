"""`eth_call` on the simulated contracts: selectors of livepeer.md §5 and their encoded results."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from lptui.fleet.units import Address
from lptui.sim.world.ledger import Ledger, Registered, RevertError, word
from lptui.sim.world.pool import POOL_SIZE, members

CONTRACT_IDS: Final = {
    "2517d59a36a86548e38734e8ab416f42afff4bca78706a66ad65750dae7f9e37": "bonding",
    "e8438ea868df48e3fc21f2f087b993c9b1837dc0f6135064161ce7d7a1701fe8": "rounds",
    "bd1aa3e8d2464256d7fd3dcf645c16418d5d8c51d971f1ad7d57e7b1b5eee239": "broker",
    "79c5d2a4a07754f4bacb0ffba18ac516030ee589ebc89db8627680c4d4cdb230": "registry",
    "6e58ad548d72b425ea94c15f453bf26caddb061d82b2551db7fdd3cefe0e9940": "minter",
    "3443e257065fe41dd0e4d1f5a1b73a22a62e300962b57f30cddf41d0f8273ba7": "token",
    "6efca2866b731ee4984990bacad4cde10f1ef764fb54a5206bdfd291695b1a9b": "treasury",
}
"""keccak256 of the contracts' names, by which the Controller knows them."""
ZERO: Final = "0x" + "0" * 40


def words(*values: int | str | bool) -> str:
    return "0x" + "".join(word(value) for value in values)


def dynamic(raw: bytes) -> str:
    """A single string (or bytes) result."""
    padded = raw.hex().ljust((len(raw) + 31) // 32 * 64, "0")
    return "0x" + word(32) + word(len(raw)) + padded


def revert_data(reason: str) -> str:
    """`Error(string)` as a revert carries it."""
    return "0x08c379a0" + dynamic(reason.encode())[2:]


class Contracts:
    """Answers calls as of an L2 block.

    `say` words free text (the service URI); unknown selectors revert without a reason and
    addresses without code answer "0x", as a chain does.
    """

    def __init__(self, ledger: Ledger, say: Callable[[str], str]) -> None:
        self._ledger = ledger
        self._say = say
        at = ledger.contracts
        self._code: dict[str, dict[str, Callable[[str, str, int], str]]] = {
            at.controller: {
                "e16c7d98": lambda data, _, __: words(self._contract(data[:64])),
                "5c975abb": lambda *_: words(ledger.paused),
            },
            at.rounds: self._rounds(),
            at.bonding: self._bonding(),
            at.registry: {"214c2a4b": lambda data, _, __: self._service_uri(_address(data))},
            at.broker: {
                "e1a589da": lambda data, _, __: self._sender_info(_address(data)),
                "20d3a0b4": lambda *_: words(2),
                "856a2cf8": lambda *_: words(2),
            },
            at.minter: {
                "9ae6309a": lambda _, __, b: words(ledger.mintable(ledger.round_at(b))),
                "be0522e0": lambda *_: words(221_500),
                "a7c83514": lambda *_: words(500),
                "821b771f": lambda *_: words(500_000_000),
                "5507442d": lambda *_: words(ledger.total_stake * 2),
                "2de22cdb": lambda *_: words(0),
            },
            at.token: {
                "70a08231": lambda *_: words(0),
                "18160ddd": lambda *_: words(ledger.total_stake * 2),
            },
        }

    def has_code(self, address: str) -> bool:
        return address.lower() in self._code

    def call(self, to: str, data: str, sender: str, block: int) -> str:
        """The result of a call; raises RevertError."""
        code = self._code.get(to.lower())
        if code is None:
            return "0x"
        bare = data.removeprefix("0x").lower()
        function = code.get(bare[:8])
        if function is None:
            raise RevertError("")
        return function(bare[8:], sender.lower(), block)

    def program(self, data: str) -> str:
        """What a program returns that is run instead of a call: the one that lists the pool
        ends with the address of the contract that it asks."""
        if not data.lower().endswith(self._ledger.contracts.bonding[2:]):
            raise RevertError("")
        return words(*(word for member in members(self._ledger) for word in member))

    def _contract(self, key: str) -> str:
        name = CONTRACT_IDS.get(key)
        return getattr(self._ledger.contracts, name) if name else ZERO

    def _rounds(self) -> dict[str, Callable[[str, str, int], str]]:
        ledger, clock = self._ledger, self._ledger.rounds

        def initialised(_: str, __: str, block: int) -> str:
            return words(ledger.last_initialised(block) == ledger.round_at(block))

        def l1(block: int) -> int:
            return ledger.timeline.l1_at_l2(block)

        def initialise(_: str, __: str, block: int) -> str:
            ledger.check_initialise(block)
            return "0x"

        return {
            "8a19c8bc": lambda _, __, b: words(ledger.round_at(b)),
            "219bc76c": initialised,
            "8807f36e": lambda _, __, b: words(ledger.last_initialised(b)),
            "8fa148f2": lambda _, __, b: words(clock.start_of(ledger.round_at(b))),
            "6841f253": lambda _, __, b: words(clock.locked_at(l1(b))),
            "8b649b94": lambda *_: words(clock.length),
            "f5b490d5": lambda *_: words(clock.lock_ppm),
            "8ae63d6d": lambda _, __, b: words(l1(b)),
            "0fe1dfa8": lambda *_: words(clock.base_round),
            "668abff7": lambda *_: words(clock.base_block),
            "d4807fb2": initialise,
        }

    def _bonding(self) -> dict[str, Callable[[str, str, int], str]]:
        ledger = self._ledger

        def reward(_: str, sender: str, block: int) -> str:
            ledger.check_reward(sender, block)
            return "0x"

        def reward_for(data: str, sender: str, block: int) -> str:
            record = ledger.registered.get(_address(data))
            if record is None or record.reward_caller != sender:
                raise RevertError("caller must be a reward caller set by the transcoder")
            ledger.check_reward(record.address, block)
            return "0x"

        def set_caller(_: str, __: str, ___: int) -> str:
            ledger.check_running()
            return "0x"

        return {
            "5dce9948": lambda data, _, b: self._transcoder(_address(data), b),
            "a64ad595": lambda data, _, __: self._delegator(_address(data)),
            "24454fc4": lambda data, _, __: self._earnings_pool(_address(data)),
            "08802374": lambda data, _, b: words(self._active(_address(data), b)),
            "68ba170c": lambda data, _, __: words(_address(data) in ledger.registered),
            "8b2f1652": lambda data, _, __: words(_address(data) in ledger.registered),
            "1544fc67": lambda data, _, __: words(1 if _address(data) in ledger.registered else 2),
            "9ef9df94": lambda data, _, __: words(self._stake(_address(data))),
            "2a4e0d55": lambda *_: words(len(members(ledger))),
            "5a2a75a9": lambda *_: words(POOL_SIZE),
            "88a6c749": lambda *_: words(members(ledger)[0][0]),
            "235c9603": lambda data, _, __: words(self._next(_address(data))),
            "5c50c356": lambda *_: words(ledger.total_stake),
            "4196ee75": lambda *_: words(ledger.total_stake),
            "465501d3": lambda *_: words(ledger.total_stake),
            "6cf6d675": lambda *_: words(7),
            "558f8f44": lambda *_: words(10**26),
            "84a16bbc": lambda *_: words(750_000 * 10**18),
            "9d0b2c7a": lambda data, _, __: words(self._own_stake(_address(data))),
            "f595f1cc": lambda data, _, __: words(self._fees(_address(data))),
            "47621410": lambda data, _, __: words(self._caller(_address(data))),
            "228cb733": reward,
            "81871056": reward,
            "1a8c41f8": reward_for,
            "0103e60e": set_caller,
            "b556966a": reward_for,
        }

    def _next(self, address: Address) -> str:
        """Who is behind an orchestrator in the pool."""
        order = [member for member, _ in members(self._ledger)]
        behind = order[order.index(address) + 1 :] if address in order else []
        return behind[0] if behind else ZERO

    def _record(self, address: Address) -> Registered | None:
        return self._ledger.registered.get(address)

    def _active(self, address: Address, block: int) -> bool:
        record = self._record(address)
        return record is not None and record.is_active(self._ledger.round_at(block))

    def _stake(self, address: Address) -> int:
        record = self._record(address)
        return record.stake if record else 0

    def _own_stake(self, address: Address) -> int:
        return self._stake(address) * 3 // 10

    def _fees(self, address: Address) -> int:
        record = self._record(address)
        return record.pending_fees if record else 0

    def _caller(self, address: Address) -> str:
        record = self._record(address)
        return str(record.reward_caller or ZERO) if record else ZERO

    def _transcoder(self, address: Address, block: int) -> str:
        record = self._record(address)
        if record is None:
            return words(*[0] * 10)
        return words(
            record.last_reward(block),
            record.reward_cut,
            record.fee_share,
            self._ledger.round_at(block),
            record.activation_round,
            record.deactivation_round,
            0,
            0,
            0,
            self._ledger.round_at(block) - 1,
        )

    def _delegator(self, address: Address) -> str:
        record = self._record(address)
        if record is None:
            return words(*[0] * 7)
        stake = self._own_stake(address)
        start = record.activation_round
        return words(stake, record.pending_fees, address, record.stake, start, start, 3)

    def _earnings_pool(self, address: Address) -> str:
        record = self._record(address)
        if record is None:
            return words(*[0] * 5)
        return words(record.stake, record.reward_cut, record.fee_share, 10**27, 10**27)

    def _service_uri(self, address: Address) -> str:
        record = self._record(address)
        return dynamic(self._say(record.service_uri).encode() if record else b"")

    def _sender_info(self, address: Address) -> str:
        deposit, reserve = self._ledger.deposits.get(address, (0, 0))
        return words(deposit, 0, reserve, 0)


def _address(data: str) -> Address:
    """The address in the first word of call data."""
    return Address("0x" + data[24:64])
