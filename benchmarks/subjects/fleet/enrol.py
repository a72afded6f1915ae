"""Enrol nodes at a hub that runs: PROJECT URL HOMES NODE..."""

import sys
import time
from pathlib import Path

from segue.agent.enrol import enrol
from segue.hub.opening import find_place, open_store
from segue.hub.tokens import Issuer, make_token

project, url, homes, *nodes = sys.argv[1:]
place = find_place(Path(project))
store = open_store(place)
issuer = Issuer(place.project, url, "", "")
for node in nodes:
    enrol(make_token(store, issuer, node, {}, time.time(), "benchmark"), Path(homes) / node)
store.close()
