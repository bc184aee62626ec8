"""What do we remember? Bounded series of figures, and when findings began and ended."""
