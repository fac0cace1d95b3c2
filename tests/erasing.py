"""A program that erases a subject from the prediction log of a project, as another process than the one that writes it."""

import sys
import time
from pathlib import Path

from gristmill.serving.prediction_log.erasure import erase

if __name__ == "__main__":
    erase(Path(sys.argv[1]), sys.argv[2], sys.argv[3], "me", time.time())
