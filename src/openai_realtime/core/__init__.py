"""The protocol's rules as pure code.

What goes in is an event, a user's intention, or the time; what comes out is a list of
outputs. Nothing here waits, reads a clock, draws a random number or touches a socket,
so every interleaving can be tried in a test.
"""
