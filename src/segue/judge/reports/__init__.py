"""What was found, in the formats of terminals, browsers, CI and pull requests."""
