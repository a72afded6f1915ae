"""What agents and hubs say to each other: messages, records, signatures, bundles."""
