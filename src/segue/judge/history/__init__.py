"""Values against their own past, and distributions against each other."""
