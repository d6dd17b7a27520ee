"""flask_start.py FLAGS: become gunicorn around flask_app."""

import os
import sys

if __name__ == "__main__":
    os.execv(sys.executable, [sys.executable, "-m", "gunicorn", *sys.argv[1:], "flask_app:app"])
