"""Where tables, ledgers and source data are kept; reached through `segue.registry`."""
