"""How a fleet is reached: SSH, shells, HTTP and JSON-RPC inside SSH, behind small protocols."""
