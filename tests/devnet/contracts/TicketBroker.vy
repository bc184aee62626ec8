# pragma version 0.4.3
"""
Deposits and reserves of payers. Tickets are not checked here: a test says that one was redeemed, the
payer's deposit pays, then its reserve, and the recipient's fees grow.
"""

interface Controller:
    def getContract(id: bytes32) -> address: view

interface RoundsManager:
    def currentRound() -> uint256: view
    def currentRoundInitialized() -> bool: view

interface BondingManager:
    def isActiveTranscoder(transcoder: address) -> bool: view
    def getTranscoderPoolSize() -> uint256: view
    def addFees(transcoder: address, amount: uint256): nonpayable

struct Sender:
    deposit: uint256
    withdrawRound: uint256

struct ReserveInfo:
    fundsRemaining: uint256
    claimedInCurrentRound: uint256

event DepositFunded:
    sender: indexed(address)
    amount: uint256

event ReserveFunded:
    reserveHolder: indexed(address)
    amount: uint256

event ReserveClaimed:
    reserveHolder: indexed(address)
    claimant: address
    amount: uint256

event WinningTicketTransfer:
    sender: indexed(address)
    recipient: indexed(address)
    amount: uint256

event WinningTicketRedeemed:
    sender: indexed(address)
    recipient: indexed(address)
    faceValue: uint256
    winProb: uint256
    senderNonce: uint256
    recipientRand: uint256
    auxData: Bytes[64]

event Unlock:
    sender: indexed(address)
    startRound: uint256
    endRound: uint256

controller: public(immutable(address))
unlockPeriod: public(uint256)
ticketValidityPeriod: public(uint256)

senders: HashMap[address, Sender]
reserves: HashMap[address, uint256]
claimed_for_round: HashMap[address, HashMap[uint256, uint256]]
claimed_by: HashMap[address, HashMap[uint256, HashMap[address, uint256]]]


@deploy
def __init__(_controller: address):
    controller = _controller
    self.unlockPeriod = 2
    self.ticketValidityPeriod = 2


@internal
@view
def _round() -> uint256:
    rounds: address = staticcall Controller(controller).getContract(keccak256("RoundsManager"))
    return staticcall RoundsManager(rounds).currentRound()


@internal
@view
def _bonding() -> address:
    return staticcall Controller(controller).getContract(keccak256("BondingManager"))


@internal
@view
def _claimable(holder: address, claimant: address) -> uint256:
    if not staticcall BondingManager(self._bonding()).isActiveTranscoder(claimant):
        return 0
    pool_size: uint256 = staticcall BondingManager(self._bonding()).getTranscoderPoolSize()
    if pool_size == 0:
        return 0
    round: uint256 = self._round()
    total: uint256 = self.reserves[holder] + self.claimed_for_round[holder][round]
    return total // pool_size - self.claimed_by[holder][round][claimant]


@external
@view
def getSenderInfo(sender: address) -> (Sender, ReserveInfo):
    return self.senders[sender], ReserveInfo(
        fundsRemaining=self.reserves[sender],
        claimedInCurrentRound=self.claimed_for_round[sender][self._round()],
    )


@external
@view
def claimableReserve(reserveHolder: address, claimant: address) -> uint256:
    return self._claimable(reserveHolder, claimant)


@external
@view
def claimedReserve(reserveHolder: address, claimant: address) -> uint256:
    return self.claimed_by[reserveHolder][self._round()][claimant]


@external
@payable
def fundDepositAndReserve(depositAmount: uint256, reserveAmount: uint256):
    assert msg.value == depositAmount + reserveAmount, "msg.value does not equal sum of deposit amount and reserve amount"
    self.senders[msg.sender].deposit += depositAmount
    self.senders[msg.sender].withdrawRound = 0
    self.reserves[msg.sender] += reserveAmount
    log DepositFunded(sender=msg.sender, amount=depositAmount)
    log ReserveFunded(reserveHolder=msg.sender, amount=reserveAmount)


@external
def unlock():
    round: uint256 = self._round()
    end: uint256 = round + self.unlockPeriod
    self.senders[msg.sender].withdrawRound = end
    log Unlock(sender=msg.sender, startRound=round, endRound=end)


@external
def emitRedemption(
    sender: address,
    recipient: address,
    faceValue: uint256,
    winProb: uint256,
    senderNonce: uint256,
    recipientRand: uint256,
):
    """
    A redemption as the chain would show it, without a signed ticket.
    """
    round: uint256 = self._round()
    from_deposit: uint256 = min(self.senders[sender].deposit, faceValue)
    self.senders[sender].deposit -= from_deposit
    paid: uint256 = from_deposit
    if paid < faceValue:
        claim: uint256 = min(self._claimable(sender, recipient), faceValue - paid)
        if claim > 0:
            self.claimed_for_round[sender][round] += claim
            self.claimed_by[sender][round][recipient] += claim
            self.reserves[sender] -= claim
            paid += claim
            log ReserveClaimed(reserveHolder=sender, claimant=recipient, amount=claim)
    extcall BondingManager(self._bonding()).addFees(recipient, paid)
    log WinningTicketTransfer(sender=sender, recipient=recipient, amount=paid)
    log WinningTicketRedeemed(
        sender=sender,
        recipient=recipient,
        faceValue=faceValue,
        winProb=winProb,
        senderNonce=senderNonce,
        recipientRand=recipientRand,
        auxData=abi_encode(round, keccak256(abi_encode(round))),
    )
