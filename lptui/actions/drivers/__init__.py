"""How each kind of balancer is told: one interface, one file a kind."""
