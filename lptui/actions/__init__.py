"""What the console does about it: plan, confirm, execute, verify, record."""
