"""What a fleet is: topology, facts, readings, the snapshot. Pure; it asks nobody anything."""
