"""The trend chart: pure scales, an immutable series, and one paint for screen and paper."""
