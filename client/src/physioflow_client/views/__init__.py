"""Widgets: they show a view-model and hold no state of their own that matters."""
