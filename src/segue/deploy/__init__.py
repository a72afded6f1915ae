"""Deployments: bundles, their signatures, and what is asked of a hub about nodes."""
