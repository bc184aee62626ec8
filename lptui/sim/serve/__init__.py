"""What the simulated world looks like from outside: one file a protocol."""
