"""For tests of segue, of projects and of what plugs into segue: faults, injected for real."""
