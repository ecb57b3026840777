"""How a response is planned, generated and counted."""
