"""The emulator's voice and ears, and how it tells speech from silence."""
