"""The commands; each adds itself to the parser and does its work."""
