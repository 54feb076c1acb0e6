"""Tables, connections and migrations; nothing above SQL."""
