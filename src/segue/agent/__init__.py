"""What runs at a node: sources, steps, spool, and the way to the hub."""
