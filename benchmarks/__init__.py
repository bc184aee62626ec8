"""Speed, side by side with what an operator would use instead. Run with `make bench`."""
