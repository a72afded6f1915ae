"""Ratios against peers and limits, all measured in one run: `make bench`."""
