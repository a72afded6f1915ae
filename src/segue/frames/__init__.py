"""Arrow in the middle, and one file per frame library."""
