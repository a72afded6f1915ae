"""Steps at work: each computed into staged files that no reader sees."""
