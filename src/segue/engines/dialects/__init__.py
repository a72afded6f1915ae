"""SELECTs in DuckDB's dialect, prepared to be carried over to another one, or refused."""
