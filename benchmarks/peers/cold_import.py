"""Time imports in this fresh process: one argument after the other, together.

Prints the seconds from the beginning until each is done, as JSON.
"""

import json
import sys
import time

if __name__ == "__main__":
    done = []
    began = time.perf_counter()
    for statement in sys.argv[1:]:
        exec(statement, {})
        done.append(time.perf_counter() - began)
    print(json.dumps(done))
