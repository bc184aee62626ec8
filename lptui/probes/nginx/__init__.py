"""What nginx is configured to do, and whether its servers answer."""
