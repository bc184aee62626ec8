"""How do we word it? Pure presenters: a snapshot to titles, columns, rows and details."""
