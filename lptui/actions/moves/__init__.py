"""The changes that plans are made of: each can be looked at, made, and taken back."""
