"""Who may open which encrypted file on this laptop."""
