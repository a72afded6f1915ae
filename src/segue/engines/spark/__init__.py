"""The engine called ``spark``."""
