# pragma version 0.4.3
"""
The registry every other contract is found through, and the switch that pauses them all.
Anyone may call the setters: this chain belongs to the test that started it.
"""

event SetContractInfo:
    id: bytes32
    contractAddress: address
    gitCommitHash: bytes20

event Pause:
    pass

event Unpause:
    pass

paused: public(bool)
contracts: HashMap[bytes32, address]


@external
@view
def getContract(id: bytes32) -> address:
    return self.contracts[id]


@external
def setContractInfo(id: bytes32, contractAddress: address, gitCommitHash: bytes20):
    self.contracts[id] = contractAddress
    log SetContractInfo(id=id, contractAddress=contractAddress, gitCommitHash=gitCommitHash)


@external
def pause():
    assert not self.paused
    self.paused = True
    log Pause()


@external
def unpause():
    assert self.paused
    self.paused = False
    log Unpause()
