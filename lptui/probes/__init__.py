"""What is asked of the fleet: one module a source, asking and pure parsing apart."""
