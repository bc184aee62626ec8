"""What opens over the overview: detail, events, help, questions."""
