# pragma version 0.4.3
"""
The address under which each orchestrator says it can be reached.
"""

event ServiceURIUpdate:
    addr: indexed(address)
    serviceURI: String[256]

uris: HashMap[address, String[256]]


@external
@view
def getServiceURI(addr: address) -> String[256]:
    return self.uris[addr]


@external
def setServiceURI(serviceURI: String[256]):
    self.uris[msg.sender] = serviceURI
    log ServiceURIUpdate(addr=msg.sender, serviceURI=serviceURI)
