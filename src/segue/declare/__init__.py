"""The project's files into specs: steps, sources, contracts, settings, and fingerprints."""
