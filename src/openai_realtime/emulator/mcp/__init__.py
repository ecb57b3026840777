"""MCP servers, as the emulator plays them: nothing outside is ever asked."""
