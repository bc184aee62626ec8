"""The nodes' logs: how they are asked for and what their lines mean."""
