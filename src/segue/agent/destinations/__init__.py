"""Where batches go besides the lake: one small file per kind, found by entry point."""
