"""The engine called ``dask``."""
