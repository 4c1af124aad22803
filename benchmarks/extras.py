"""What a benchmark says when a package that it compares with is not installed."""

from __future__ import annotations

import sys
from importlib.util import find_spec


def require_modules(*names: str, extra: str = "bench") -> None:
    """End with one sentence if a module is missing. `extra` is the extra, or several, of pyproject.toml that brings it."""
    missing = [name for name in names if find_spec(name) is None]
    if missing:
        sys.exit(f"this benchmark needs {', '.join(missing)}: install the extra with python -m pip install -e '.[{extra}]'")
