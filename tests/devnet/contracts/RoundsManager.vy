# pragma version 0.4.3
"""
Rounds counted on a clock of its own.

On Arbitrum a contract sees the height of Ethereum, not of the chain it runs on. Here the clock is a
number in storage that tests move by hand, or that gains so many thousandths of a block for each
second of block time, so it never agrees with the height of this chain.
"""

interface Controller:
    def getContract(id: bytes32) -> address: view
    def paused() -> bool: view

interface BondingManager:
    def setCurrentRoundTotalActiveStake(): nonpayable

interface Minter:
    def setCurrentRewardTokens(): nonpayable

event NewRound:
    round: indexed(uint256)
    blockHash: bytes32

event ParameterUpdate:
    param: String[32]

PERC_DIVISOR: constant(uint256) = 1_000_000

controller: public(immutable(address))

roundLength: public(uint256)
roundLockAmount: public(uint256)
lastInitializedRound: public(uint256)
lastRoundLengthUpdateRound: public(uint256)
lastRoundLengthUpdateStartBlock: public(uint256)
blockHashForRound: public(HashMap[uint256, bytes32])

clock: uint256
clock_set_at: uint256
clock_rate: uint256


@deploy
def __init__(
    _controller: address, firstRound: uint256, startBlock: uint256, length: uint256, now: uint256
):
    controller = _controller
    self.lastRoundLengthUpdateRound = firstRound
    self.lastRoundLengthUpdateStartBlock = startBlock
    self.roundLength = length
    self.roundLockAmount = 100_000
    self.clock = now
    self.clock_set_at = block.timestamp


@internal
@view
def _block_num() -> uint256:
    return self.clock + (block.timestamp - self.clock_set_at) * self.clock_rate // 1000


@internal
@view
def _current_round() -> uint256:
    passed: uint256 = self._block_num() - self.lastRoundLengthUpdateStartBlock
    return self.lastRoundLengthUpdateRound + passed // self.roundLength


@internal
@view
def _start_block() -> uint256:
    rounds: uint256 = self._current_round() - self.lastRoundLengthUpdateRound
    return self.lastRoundLengthUpdateStartBlock + rounds * self.roundLength


@external
@view
def blockNum() -> uint256:
    return self._block_num()


@external
@view
def currentRound() -> uint256:
    return self._current_round()


@external
@view
def currentRoundStartBlock() -> uint256:
    return self._start_block()


@external
@view
def currentRoundInitialized() -> bool:
    return self.lastInitializedRound == self._current_round()


@external
@view
def currentRoundLocked() -> bool:
    locked_blocks: uint256 = self.roundLength * self.roundLockAmount // PERC_DIVISOR
    return self._block_num() - self._start_block() >= self.roundLength - locked_blocks


@external
def initializeRound():
    assert not staticcall Controller(controller).paused(), "system is paused"
    round: uint256 = self._current_round()
    assert self.lastInitializedRound < round, "round already initialized"
    self.lastInitializedRound = round
    round_hash: bytes32 = keccak256(abi_encode(self._block_num()))
    self.blockHashForRound[round] = round_hash
    bonding: address = staticcall Controller(controller).getContract(keccak256("BondingManager"))
    extcall BondingManager(bonding).setCurrentRoundTotalActiveStake()
    minter: address = staticcall Controller(controller).getContract(keccak256("Minter"))
    extcall Minter(minter).setCurrentRewardTokens()
    log NewRound(round=round, blockHash=round_hash)


@external
def setRoundLength(length: uint256):
    start: uint256 = self._start_block()
    self.lastRoundLengthUpdateRound = self._current_round()
    self.lastRoundLengthUpdateStartBlock = start
    self.roundLength = length
    log ParameterUpdate(param="roundLength")


@external
def setRoundLockAmount(amount: uint256):
    self.roundLockAmount = amount
    log ParameterUpdate(param="roundLockAmount")


@external
def setClock(blocks: uint256):
    self.clock = blocks
    self.clock_set_at = block.timestamp


@external
def advanceClock(blocks: uint256):
    self.clock = self._block_num() + blocks
    self.clock_set_at = block.timestamp


@external
def setClockRate(milliBlocksPerSecond: uint256):
    self.clock = self._block_num()
    self.clock_set_at = block.timestamp
    self.clock_rate = milliBlocksPerSecond
