"""What HAProxy says, by its runtime socket or its statistics page."""
