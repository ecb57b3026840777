"""One question asked of every client, each in a process that measures itself."""
