"""The engine called ``ray``."""
