"""The service that knows the nodes of a fleet and takes in what they send."""
