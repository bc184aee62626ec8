"""The parts of a stand-in node: what it is, what it reads, what it sends, what it counts."""
