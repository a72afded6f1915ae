"""DuckDB in this process: the engine that defines what SQL means."""
