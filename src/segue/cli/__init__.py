"""The command line: arguments in, tables or JSON out; it decides nothing by itself."""
