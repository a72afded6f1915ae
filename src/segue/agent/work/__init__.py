"""What a worker does with rows: steps, contracts, windows, alerts, and the commit of it all."""
