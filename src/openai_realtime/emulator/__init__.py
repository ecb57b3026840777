"""A local server that speaks the Realtime protocol, without key or network."""
