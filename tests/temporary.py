"""Where the temporary files of tests are."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

_MEMORY = Path("/dev/shm")  # noqa: S108 (only a folder that is made in it, as in any for temporary files)
_NEEDED_BYTES = 2 << 30
"""What several runs beside each other leave there; a container often has 64 MB."""


def find_memory_folder(folder: Path = _MEMORY) -> str | None:
    """Return Linux's folder of files in memory; None where there is none, or where tests cannot keep and run their files."""
    if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        return None
    runs_programs = not os.statvfs(folder).f_flag & os.ST_NOEXEC
    return str(folder) if runs_programs and shutil.disk_usage(folder).free >= _NEEDED_BYTES else None
