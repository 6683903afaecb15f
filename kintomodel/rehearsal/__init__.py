"""What the server would answer to a write, without the server."""
