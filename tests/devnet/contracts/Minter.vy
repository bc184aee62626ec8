# pragma version 0.4.3
"""
How much a round mints, and how much of it has been handed out.
"""

event SetCurrentRewardTokens:
    currentMintableTokens: uint256
    currentInflation: uint256

INFLATION_DIVISOR: constant(uint256) = 1_000_000_000

inflation: public(uint256)
inflationChange: public(uint256)
targetBondingRate: public(uint256)
currentMintableTokens: public(uint256)
currentMintedTokens: public(uint256)
supply: uint256


@deploy
def __init__(_supply: uint256, _inflation: uint256):
    self.supply = _supply
    self.inflation = _inflation
    self.inflationChange = 500
    self.targetBondingRate = 500_000_000


@external
@view
def getGlobalTotalSupply() -> uint256:
    return self.supply


@external
def setCurrentRewardTokens():
    self.currentMintableTokens = self.supply * self.inflation // INFLATION_DIVISOR
    self.currentMintedTokens = 0
    log SetCurrentRewardTokens(
        currentMintableTokens=self.currentMintableTokens, currentInflation=self.inflation
    )


@external
def createReward(numerator: uint256, denominator: uint256) -> uint256:
    if denominator == 0:
        return 0
    amount: uint256 = self.currentMintableTokens * numerator // denominator
    self.currentMintedTokens += amount
    self.supply += amount
    return amount


@external
def setInflation(rate: uint256):
    self.inflation = rate
