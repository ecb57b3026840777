"""What the emulator answers: brains, and what they are given."""
