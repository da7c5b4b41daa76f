"""Rolls dice as a row of games.jsonl says: {"dice": 2, "rolls": 1000}."""

import json
import os
import random
import signal
import sys


def stop(number, frame):
    sys.exit(128 + number)  # an exception like any other: finally and with do their work


signal.signal(signal.SIGTERM, stop)  # without this Python ends at once, and cleans up nothing

game = json.loads(os.environ["NTH_ITEM_TASK"])
random.seed(int(os.environ["NTH_ITEM_INDEX"]))  # the same result, however often it runs
total = 0
try:
    print("rolling", game["dice"], "dice")
    for _ in range(game["rolls"]):
        total += sum(random.randint(1, 6) for _ in range(game["dice"]))
finally:
    print("the table is cleared")

with open("/tmp/game.json", "w") as out:
    json.dump({"rolls": game["rolls"], "mean": total / game["rolls"]}, out)
