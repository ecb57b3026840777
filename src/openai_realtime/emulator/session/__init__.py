"""What a session is: its settings, its history, what it hears."""
