"""The emulator's shell: admission, sockets, HTTP, limits, the log and the counters."""
