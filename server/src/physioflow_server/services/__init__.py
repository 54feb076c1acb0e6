"""What the server does, in the clinic's terms: write, feed, sign in."""
