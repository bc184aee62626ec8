"""Widgets drawn line by line from plain text."""
