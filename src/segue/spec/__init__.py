"""The frozen nouns that pass between the stages; no file here does I/O."""
