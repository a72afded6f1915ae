"""The conformance suite of engines: one meaning, proved on each of them.

Whoever writes an engine subclasses `segue.testing.engines.suite.EngineConformance`.
"""
