"""A chain and nodes for tests: anvil with stand-in contracts, and go-livepeer's HTTP interface."""
