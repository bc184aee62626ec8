"""When the fleet is asked: one loop a source, deadlines, ages, published snapshots."""
