"""lptui: a terminal operations console for fleets of Livepeer orchestrators."""

__version__ = "0.1.0"
