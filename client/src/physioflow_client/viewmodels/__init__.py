"""What each view shows and may do, without widgets: plain values and QtCore only."""
