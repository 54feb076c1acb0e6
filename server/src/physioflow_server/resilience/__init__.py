"""What keeps one failing service from taking the server with it."""
