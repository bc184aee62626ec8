# pragma version 0.4.3
"""
Stakes, the active set and the reward call, with the states an operator can meet: registered but not
yet active, active in a round nobody initialised, rewarded, leaving, evicted, paused.

There is no token: bonding takes the sender's word. All of a reward goes to the transcoder itself.
Functions after "Set by tests" do not exist in the protocol and may be called by anyone.
"""

interface Controller:
    def getContract(id: bytes32) -> address: view
    def paused() -> bool: view

interface RoundsManager:
    def currentRound() -> uint256: view
    def currentRoundInitialized() -> bool: view
    def currentRoundLocked() -> bool: view

interface Minter:
    def createReward(numerator: uint256, denominator: uint256) -> uint256: nonpayable

event Bond:
    newDelegate: indexed(address)
    oldDelegate: indexed(address)
    delegator: indexed(address)
    additionalAmount: uint256
    bondedAmount: uint256

event Unbond:
    delegate: indexed(address)
    delegator: indexed(address)
    unbondingLockId: uint256
    amount: uint256
    withdrawRound: uint256

event Rebond:
    delegate: indexed(address)
    delegator: indexed(address)
    unbondingLockId: uint256
    amount: uint256

event WithdrawStake:
    delegator: indexed(address)
    unbondingLockId: uint256
    amount: uint256
    withdrawRound: uint256

event TranscoderUpdate:
    transcoder: indexed(address)
    rewardCut: uint256
    feeShare: uint256

event TranscoderActivated:
    transcoder: indexed(address)
    activationRound: uint256

event TranscoderDeactivated:
    transcoder: indexed(address)
    deactivationRound: uint256

event TranscoderSlashed:
    transcoder: indexed(address)
    finder: address
    penalty: uint256
    finderReward: uint256

event Reward:
    transcoder: indexed(address)
    amount: uint256

event TreasuryReward:
    transcoder: indexed(address)
    treasury: address
    amount: uint256

event RewardCallerSet:
    transcoder: indexed(address)
    rewardCaller: indexed(address)

struct Transcoder:
    lastRewardRound: uint256
    rewardCut: uint256
    feeShare: uint256
    lastActiveStakeUpdateRound: uint256
    activationRound: uint256
    deactivationRound: uint256
    cumulativeRewards: uint256
    cumulativeFees: uint256
    lastFeeRound: uint256

struct Delegator:
    bondedAmount: uint256
    fees: uint256
    delegateAddress: address
    delegatedAmount: uint256
    startRound: uint256
    lastClaimRound: uint256
    nextUnbondingLockId: uint256

struct UnbondingLock:
    amount: uint256
    withdrawRound: uint256

NEVER: constant(uint256) = max_value(uint256)
POOL_CAPACITY: constant(uint256) = 256
PRECISE_PERC_DIVISOR: constant(uint256) = 10**27

controller: public(immutable(address))
has_reward_callers: immutable(bool)

transcoders: HashMap[address, Transcoder]
delegators: HashMap[address, Delegator]
locks: HashMap[address, HashMap[uint256, UnbondingLock]]
stake_in_round: HashMap[address, HashMap[uint256, uint256]]
reward_callers: HashMap[address, address]
pool: DynArray[address, POOL_CAPACITY]
pool_max_size: uint256
total_bonded: uint256
currentRoundTotalActiveStake: public(uint256)
unbondingPeriod: public(uint256)
treasuryRewardCutRate: public(uint256)
treasuryBalanceCeiling: public(uint256)


@deploy
def __init__(_controller: address, rewardCallers: bool):
    controller = _controller
    has_reward_callers = rewardCallers
    self.pool_max_size = 100
    self.unbondingPeriod = 7
    self.treasuryRewardCutRate = 10**26
    self.treasuryBalanceCeiling = 750_000 * 10**18


# Conditions


@internal
@view
def _rounds() -> address:
    return staticcall Controller(controller).getContract(keccak256("RoundsManager"))


@internal
@view
def _round() -> uint256:
    return staticcall RoundsManager(self._rounds()).currentRound()


@internal
@view
def _require_running():
    assert not staticcall Controller(controller).paused(), "system is paused"


@internal
@view
def _require_initialized():
    assert staticcall RoundsManager(self._rounds()).currentRoundInitialized(), "current round is not initialized"


@internal
@view
def _is_active(transcoder: address) -> bool:
    round: uint256 = self._round()
    record: Transcoder = self.transcoders[transcoder]
    return record.activationRound <= round and round < record.deactivationRound


@internal
@view
def _is_registered(transcoder: address) -> bool:
    delegator: Delegator = self.delegators[transcoder]
    return delegator.delegateAddress == transcoder and delegator.bondedAmount > 0


# The pool and its order


@internal
@view
def _in_pool(transcoder: address) -> bool:
    return transcoder in self.pool


@internal
@view
def _following(stake: uint256, position: uint256, start: bool) -> address:
    # The member with the most stake among those after the given place; equal stakes keep the order
    # in which they joined.
    best: address = empty(address)
    best_stake: uint256 = 0
    index: uint256 = 0
    for member: address in self.pool:
        own: uint256 = self.delegators[member].delegatedAmount
        after: bool = start or own < stake or (own == stake and index > position)
        if after and (best == empty(address) or own > best_stake):
            best = member
            best_stake = own
        index += 1
    return best


@internal
def _remove_from_pool(transcoder: address):
    found: bool = False
    size: uint256 = len(self.pool)
    for i: uint256 in range(size, bound=POOL_CAPACITY):
        if found:
            self.pool[i - 1] = self.pool[i]
        elif self.pool[i] == transcoder:
            found = True
    if not found:
        return
    self.pool.pop()
    leaving: uint256 = self._round() + 1
    self.transcoders[transcoder].deactivationRound = leaving
    log TranscoderDeactivated(transcoder=transcoder, deactivationRound=leaving)


@internal
def _try_to_join_pool(transcoder: address):
    if self._in_pool(transcoder):
        return
    if len(self.pool) >= self.pool_max_size:
        weakest: address = empty(address)
        lowest: uint256 = NEVER
        for member: address in self.pool:
            if self.delegators[member].delegatedAmount <= lowest:
                lowest = self.delegators[member].delegatedAmount
                weakest = member
        if self.delegators[transcoder].delegatedAmount <= lowest:
            return
        self._remove_from_pool(weakest)
    self.pool.append(transcoder)
    joining: uint256 = self._round() + 1
    self.transcoders[transcoder].activationRound = joining
    self.transcoders[transcoder].deactivationRound = NEVER
    log TranscoderActivated(transcoder=transcoder, activationRound=joining)


@internal
def _set_total_stake(transcoder: address, stake: uint256):
    # What counts in this round stays as it was; the new stake counts from the next one.
    round: uint256 = self._round()
    last: uint256 = self.transcoders[transcoder].lastActiveStakeUpdateRound
    if last < round:
        self.stake_in_round[transcoder][round] = self.stake_in_round[transcoder][last]
    self.stake_in_round[transcoder][round + 1] = stake
    self.transcoders[transcoder].lastActiveStakeUpdateRound = round + 1
    self.delegators[transcoder].delegatedAmount = stake


@internal
@view
def _active_stake(transcoder: address) -> uint256:
    return self.stake_in_round[transcoder][
        min(self._round(), self.transcoders[transcoder].lastActiveStakeUpdateRound)
    ]


# Views


@external
@view
def getTranscoder(
    _transcoder: address,
) -> (
    uint256, uint256, uint256, uint256, uint256, uint256, uint256, uint256, uint256, uint256
):
    record: Transcoder = self.transcoders[_transcoder]
    return (
        record.lastRewardRound,
        record.rewardCut,
        record.feeShare,
        record.lastActiveStakeUpdateRound,
        record.activationRound,
        record.deactivationRound,
        record.cumulativeRewards,
        record.cumulativeRewards,
        record.cumulativeFees,
        record.lastFeeRound,
    )


@external
@view
def getDelegator(
    _delegator: address,
) -> (uint256, uint256, address, uint256, uint256, uint256, uint256):
    record: Delegator = self.delegators[_delegator]
    return (
        record.bondedAmount,
        record.fees,
        record.delegateAddress,
        record.delegatedAmount,
        record.startRound,
        record.lastClaimRound,
        record.nextUnbondingLockId,
    )


@external
@view
def getDelegatorUnbondingLock(_delegator: address, _unbondingLockId: uint256) -> (uint256, uint256):
    lock: UnbondingLock = self.locks[_delegator][_unbondingLockId]
    return lock.amount, lock.withdrawRound


@external
@view
def getTranscoderEarningsPoolForRound(
    _transcoder: address, _round: uint256
) -> (uint256, uint256, uint256, uint256, uint256):
    record: Transcoder = self.transcoders[_transcoder]
    return (
        self.stake_in_round[_transcoder][_round],
        record.rewardCut,
        record.feeShare,
        PRECISE_PERC_DIVISOR,
        0,
    )


@external
@view
def isActiveTranscoder(_transcoder: address) -> bool:
    return self._is_active(_transcoder)


@external
@view
def isRegisteredTranscoder(_transcoder: address) -> bool:
    return self._is_registered(_transcoder)


@external
@view
def transcoderStatus(_transcoder: address) -> uint8:
    return 1 if self._is_registered(_transcoder) else 0


@external
@view
def delegatorStatus(_delegator: address) -> uint8:
    record: Delegator = self.delegators[_delegator]
    if record.bondedAmount == 0:
        return 2
    return 0 if record.startRound > self._round() else 1


@external
@view
def transcoderTotalStake(_transcoder: address) -> uint256:
    return self.delegators[_transcoder].delegatedAmount


@external
@view
def pendingStake(_delegator: address, _endRound: uint256) -> uint256:
    return self.delegators[_delegator].bondedAmount + self.transcoders[_delegator].cumulativeRewards


@external
@view
def pendingFees(_delegator: address, _endRound: uint256) -> uint256:
    return self.delegators[_delegator].fees


@external
@view
def getTranscoderPoolSize() -> uint256:
    return len(self.pool)


@external
@view
def getTranscoderPoolMaxSize() -> uint256:
    return self.pool_max_size


@external
@view
def getFirstTranscoderInPool() -> address:
    return self._following(0, 0, True)


@external
@view
def getNextTranscoderInPool(_transcoder: address) -> address:
    position: uint256 = 0
    for member: address in self.pool:
        if member == _transcoder:
            return self._following(
                self.delegators[_transcoder].delegatedAmount, position, False
            )
        position += 1
    return empty(address)


@external
@view
def getTotalBonded() -> uint256:
    return self.total_bonded


@internal
@view
def _pool_stake() -> uint256:
    total: uint256 = 0
    for member: address in self.pool:
        total += self.delegators[member].delegatedAmount
    return total


@external
@view
def nextRoundTotalActiveStake() -> uint256:
    return self._pool_stake()


# What operators and delegators send


@external
def bond(_amount: uint256, _to: address):
    self._require_running()
    self._require_initialized()
    record: Delegator = self.delegators[msg.sender]
    assert _amount > 0 or (record.bondedAmount > 0 and record.delegateAddress != _to), "delegation amount must be greater than 0"
    moved: uint256 = _amount
    if record.delegateAddress != _to:
        if record.delegateAddress != empty(address) and record.bondedAmount > 0:
            self._set_total_stake(
                record.delegateAddress,
                self.delegators[record.delegateAddress].delegatedAmount - record.bondedAmount,
            )
            moved += record.bondedAmount
        self.delegators[msg.sender].startRound = self._round() + 1
        self.delegators[msg.sender].delegateAddress = _to
    self.delegators[msg.sender].bondedAmount += _amount
    self.delegators[msg.sender].lastClaimRound = self._round()
    self.total_bonded += _amount
    self._set_total_stake(_to, self.delegators[_to].delegatedAmount + moved)
    if self._is_registered(_to):
        self._try_to_join_pool(_to)
    log Bond(
        newDelegate=_to,
        oldDelegate=record.delegateAddress,
        delegator=msg.sender,
        additionalAmount=_amount,
        bondedAmount=record.bondedAmount + _amount,
    )


@external
def unbond(_amount: uint256):
    self._require_running()
    self._require_initialized()
    record: Delegator = self.delegators[msg.sender]
    assert _amount > 0 and _amount <= record.bondedAmount
    delegate: address = record.delegateAddress
    left: uint256 = record.bondedAmount - _amount
    self.delegators[msg.sender].bondedAmount = left
    self.delegators[msg.sender].nextUnbondingLockId += 1
    self.total_bonded -= _amount
    self._set_total_stake(delegate, self.delegators[delegate].delegatedAmount - _amount)
    if left == 0:
        self.delegators[msg.sender].delegateAddress = empty(address)
        self.delegators[msg.sender].startRound = 0
        if delegate == msg.sender:
            self._remove_from_pool(msg.sender)
    withdraw_round: uint256 = self._round() + self.unbondingPeriod
    self.locks[msg.sender][record.nextUnbondingLockId] = UnbondingLock(
        amount=_amount, withdrawRound=withdraw_round
    )
    log Unbond(
        delegate=delegate,
        delegator=msg.sender,
        unbondingLockId=record.nextUnbondingLockId,
        amount=_amount,
        withdrawRound=withdraw_round,
    )


@external
def rebond(_unbondingLockId: uint256):
    self._require_running()
    self._require_initialized()
    delegate: address = self.delegators[msg.sender].delegateAddress
    lock: UnbondingLock = self.locks[msg.sender][_unbondingLockId]
    assert delegate != empty(address), "caller must be bonded"
    assert lock.withdrawRound > 0
    self.locks[msg.sender][_unbondingLockId] = empty(UnbondingLock)
    self.delegators[msg.sender].bondedAmount += lock.amount
    self.total_bonded += lock.amount
    self._set_total_stake(delegate, self.delegators[delegate].delegatedAmount + lock.amount)
    if self._is_registered(delegate):
        self._try_to_join_pool(delegate)
    log Rebond(
        delegate=delegate,
        delegator=msg.sender,
        unbondingLockId=_unbondingLockId,
        amount=lock.amount,
    )


@external
def withdrawStake(_unbondingLockId: uint256):
    self._require_running()
    self._require_initialized()
    lock: UnbondingLock = self.locks[msg.sender][_unbondingLockId]
    assert lock.withdrawRound > 0
    assert lock.withdrawRound <= self._round(), "withdraw round must be before or equal to the current round"
    self.locks[msg.sender][_unbondingLockId] = empty(UnbondingLock)
    log WithdrawStake(
        delegator=msg.sender,
        unbondingLockId=_unbondingLockId,
        amount=lock.amount,
        withdrawRound=lock.withdrawRound,
    )


@external
def transcoder(_rewardCut: uint256, _feeShare: uint256):
    self._require_running()
    self._require_initialized()
    assert not staticcall RoundsManager(self._rounds()).currentRoundLocked(), "can't update transcoder params, current round is locked"
    assert self._is_registered(msg.sender), "transcoder must be registered"
    assert (
        not self._is_active(msg.sender)
        or self.transcoders[msg.sender].lastRewardRound == self._round()
    ), "caller can't be active or must have already called reward for the current round"
    self.transcoders[msg.sender].rewardCut = _rewardCut
    self.transcoders[msg.sender].feeShare = _feeShare
    self._try_to_join_pool(msg.sender)
    log TranscoderUpdate(transcoder=msg.sender, rewardCut=_rewardCut, feeShare=_feeShare)


@internal
def _reward(transcoder: address):
    round: uint256 = self._round()
    assert self._is_active(transcoder), "caller must be an active transcoder"
    assert self.transcoders[transcoder].lastRewardRound != round, "caller has already called reward for the current round"
    minter: address = staticcall Controller(controller).getContract(keccak256("Minter"))
    minted: uint256 = extcall Minter(minter).createReward(
        self._active_stake(transcoder), self.currentRoundTotalActiveStake
    )
    treasury_share: uint256 = minted * self.treasuryRewardCutRate // PRECISE_PERC_DIVISOR
    if treasury_share > 0:
        treasury: address = staticcall Controller(controller).getContract(keccak256("Treasury"))
        log TreasuryReward(transcoder=transcoder, treasury=treasury, amount=treasury_share)
    amount: uint256 = minted - treasury_share
    self.transcoders[transcoder].lastRewardRound = round
    self.transcoders[transcoder].cumulativeRewards += amount
    self.total_bonded += amount
    self._set_total_stake(transcoder, self.delegators[transcoder].delegatedAmount + amount)
    log Reward(transcoder=transcoder, amount=amount)


@external
def reward():
    self._require_running()
    self._require_initialized()
    self._reward(msg.sender)


@external
def rewardWithHint(_newPosPrev: address, _newPosNext: address):
    self._require_running()
    self._require_initialized()
    self._reward(msg.sender)


# LIP-118. A contract of before it knows none of these and reverts without a reason.


@external
@view
def transcoderToRewardCaller(_transcoder: address) -> address:
    assert has_reward_callers
    return self.reward_callers[_transcoder]


@external
def setRewardCaller(_rewardCaller: address):
    assert has_reward_callers
    self._require_running()
    self.reward_callers[msg.sender] = _rewardCaller
    log RewardCallerSet(transcoder=msg.sender, rewardCaller=_rewardCaller)


@internal
def _delegated_reward(transcoder: address, caller: address):
    assert has_reward_callers
    self._require_running()
    self._require_initialized()
    assert self.reward_callers[transcoder] == caller, "caller must be a reward caller set by the transcoder"
    self._reward(transcoder)


@external
def rewardForTranscoder(_transcoder: address):
    self._delegated_reward(_transcoder, msg.sender)


@external
def rewardForTranscoderWithHint(
    _transcoder: address, _newPosPrev: address, _newPosNext: address
):
    self._delegated_reward(_transcoder, msg.sender)


# Called by the other contracts


@external
def setCurrentRoundTotalActiveStake():
    assert msg.sender == self._rounds(), "caller must be RoundsManager"
    self.currentRoundTotalActiveStake = self._pool_stake()


@external
def addFees(transcoder: address, amount: uint256):
    self.delegators[transcoder].fees += amount
    self.transcoders[transcoder].cumulativeFees += amount
    self.transcoders[transcoder].lastFeeRound = self._round()


# Set by tests


@external
def setStake(transcoder: address, stake: uint256):
    """
    A registered transcoder with this stake, all of it its own; active from the next round.
    """
    before: uint256 = self.delegators[transcoder].delegatedAmount
    self.total_bonded = self.total_bonded - before + stake
    self.delegators[transcoder].bondedAmount = stake
    self.delegators[transcoder].delegateAddress = transcoder
    self.delegators[transcoder].startRound = self._round() + 1
    self.delegators[transcoder].lastClaimRound = self._round()
    self._set_total_stake(transcoder, stake)
    self._try_to_join_pool(transcoder)


@external
def setActivation(transcoder: address, activationRound: uint256, deactivationRound: uint256):
    """
    When it is active. Made active in the running round, its whole stake counts in it.
    """
    self.transcoders[transcoder].activationRound = activationRound
    self.transcoders[transcoder].deactivationRound = deactivationRound
    round: uint256 = self._round()
    if self._is_active(transcoder) and self.stake_in_round[transcoder][round] == 0:
        stake: uint256 = self.delegators[transcoder].delegatedAmount
        self.stake_in_round[transcoder][round] = stake
        self.currentRoundTotalActiveStake += stake


@external
def setLastRewardRound(transcoder: address, round: uint256):
    self.transcoders[transcoder].lastRewardRound = round


@external
def setRates(transcoder: address, rewardCut: uint256, feeShare: uint256):
    self.transcoders[transcoder].rewardCut = rewardCut
    self.transcoders[transcoder].feeShare = feeShare
    log TranscoderUpdate(transcoder=transcoder, rewardCut=rewardCut, feeShare=feeShare)


@external
def setNumActiveTranscoders(size: uint256):
    self.pool_max_size = size


@external
def setTreasuryRewardCutRate(rate: uint256):
    self.treasuryRewardCutRate = rate


@external
def slash(transcoder: address, penalty: uint256, finder: address):
    """
    Takes stake away and puts the transcoder out of the pool.
    """
    taken: uint256 = min(penalty, self.delegators[transcoder].bondedAmount)
    self.delegators[transcoder].bondedAmount -= taken
    self.total_bonded -= taken
    self._set_total_stake(transcoder, self.delegators[transcoder].delegatedAmount - taken)
    self._remove_from_pool(transcoder)
    log TranscoderSlashed(transcoder=transcoder, finder=finder, penalty=taken, finderReward=0)
