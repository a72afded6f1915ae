"""Ask a hub what to do, as many nodes at once: HOMES SECONDS; tell how many had an answer."""

import json
import sys
import threading
import time
from pathlib import Path

from segue.agent.identity import open_access, read_identity
from segue.agent.link import Poller, repeat
from segue.wire.client import HubClient

homes = sorted(path.parent for path in Path(sys.argv[1]).glob("*/identity.json"))
seconds = float(sys.argv[2])
stop = threading.Event()
threading.stack_size(256 * 1024)
pollers = [
    Poller(HubClient(open_access(home, read_identity(home))), lambda _: None) for home in homes
]
for poller in pollers:
    threading.Thread(target=repeat, args=(poller.round, stop), daemon=True).start()
time.sleep(seconds)
linked = sum(poller.linked and not poller.error for poller in pollers)
error = next((poller.error for poller in pollers if poller.error), "")
print(json.dumps({"linked": linked, "error": error}))
