"""The parts of segue that work without a project."""
