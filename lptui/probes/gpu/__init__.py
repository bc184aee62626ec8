"""What a host's GPUs say, by the vendor's tool."""
