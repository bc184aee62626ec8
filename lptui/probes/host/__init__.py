"""What a host says of itself: vitals, units, disks, system, clock, listeners, processes."""
