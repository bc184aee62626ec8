"""The simulated world: pure state, moved only by its clock. It knows no protocol."""
