"""Write raw lines of a machine's measures: FILE COUNT HEAT FIRST.

Tells how many are warmer, of all and of the first ones.
"""

import json
import random
import sys
from pathlib import Path

path, count, heat, first = sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4])
chance = random.Random(1)
kept = kept_first = 0
with Path(path).open("w") as file:
    for number in range(count):
        warm = round(chance.gauss(75, 10), 1)
        kept += warm > heat
        kept_first += number < first and warm > heat
        row = {
            "n": number,
            "measured": f"2026-11-21T{number // 3600 % 24:02d}:{number // 60 % 60:02d}:00",
            "machine": f"press-{number % 20}",
            "running": number % 10 > 0,
            "shift": number // 28_800 % 3,
            "force": round(chance.gauss(100, 10), 1),
            "speed": round(chance.gauss(100, 10), 1),
            "heat": warm,
            "power": round(chance.gauss(100, 10), 1),
            "sound": round(chance.gauss(100, 10), 1),
        }
        file.write(json.dumps(row) + "\n")
print(json.dumps({"kept": kept, "first": kept_first}))
