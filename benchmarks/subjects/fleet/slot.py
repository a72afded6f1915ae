"""Write the edge part of a project as an unpacked bundle: PROJECT TARGET FLEET."""

import shutil
import sys
from pathlib import Path

from segue.project.edge import cut
from segue.spec.edge_codec import write_edge

project, target, fleet = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
made = cut(project, fleet)
target.mkdir(parents=True)
(target / "edge.json").write_bytes(write_edge(made.part))
for name in made.files:
    copy = target / "project" / name
    copy.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(project / name, copy)
