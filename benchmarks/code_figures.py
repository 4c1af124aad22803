"""Figures of the code base: how many modules, how deep, how much is explained. `python -m benchmarks.code_figures [REVISION ...]`

Each column is one revision of this repository, read from git (without one: the files as they are now). What each row counts:

- modules: Python files of `bot/` and `rules/`, without `__init__.py` and the versions of the migrations.
- lines: all lines of these files.
- modules under 40 lines: those of them with fewer than 40 lines.
- largest folder: the most modules that one folder holds.
- function body: lines from the first statement after the docstring to the last; the median and the 90th percentile of all
  functions and methods.
- helpers used once: functions and methods whose name begins with one underscore and stands twice in their file (its
  definition and one use).
- comment lines: lines that begin with `#`, and lines with a comment behind code, in a hundred lines.
- duplicated function names: how many functions and methods have the name that is used most often, dunder methods apart.
"""

from __future__ import annotations

import ast
import collections
import io
import re
import statistics
import subprocess
import sys
import tarfile
import tokenize
from collections.abc import Iterable
from pathlib import Path


def read_revision(revision: str | None) -> dict[str, str]:
    """Return the source of every counted module by its path; None: the files of the working tree."""
    if revision is None:
        paths: Iterable[str] = (str(path) for top in ("bot", "rules") for path in Path(top).rglob("*.py"))
        return {path: Path(path).read_text(encoding="utf-8") for path in paths if is_counted(path)}
    paths = [path for path in git("ls-tree", "-r", "--name-only", revision, "bot", "rules").split() if is_counted(path)]
    return {path: git("show", f"{revision}:{path}") for path in paths}


def git(*arguments: str) -> str:
    """Return what a git command prints. Raises CalledProcessError if it fails, as with an unknown revision."""
    return subprocess.run(["git", *arguments], capture_output=True, text=True, check=True).stdout  # noqa: S603, S607


def extract_revision(revision: str, folder: Path) -> None:
    """Write the files of a revision to a folder, with compiled catalogues. Raise CalledProcessError if git does not have it."""
    archive = subprocess.run(["git", "archive", revision], capture_output=True, check=True).stdout  # noqa: S603, S607
    with tarfile.open(fileobj=io.BytesIO(archive)) as files:
        files.extractall(folder, filter="data")
    compiler = "bot.i18n.compile" if (folder / "bot/i18n").exists() else "bot.languages.compiling"  # as it was called in 0.1
    subprocess.run([sys.executable, "-m", compiler], cwd=folder, check=True)  # noqa: S603


def is_counted(path: str) -> bool:
    """Return True for a module of the product that is neither an `__init__` nor a step of the schema."""
    return path.endswith(".py") and not path.endswith("__init__.py") and "/versions/" not in path


def count_body_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Return the lines of a function's body without its docstring."""
    statements = function.body[1:] if ast.get_docstring(function) is not None else function.body
    return (function.end_lineno or 0) - statements[0].lineno + 1 if statements else 0


def count_comment_lines(source: str) -> int:
    """Return how many lines have a comment, alone or behind code."""
    return sum(token.type == tokenize.COMMENT for token in tokenize.generate_tokens(io.StringIO(source).readline))


def measure(sources: dict[str, str]) -> dict[str, str]:
    """Return each figure of one revision, as it is printed."""
    bodies: list[int] = []
    once = comments = 0
    names: collections.Counter[str] = collections.Counter()
    for source in sources.values():
        words = collections.Counter(re.findall(r"\b_\w+", source))
        comments += count_comment_lines(source)
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                bodies.append(count_body_lines(node))
                names[node.name] += not node.name.startswith("__")
                once += node.name.startswith("_") and not node.name.startswith("__") and words[node.name] == 2
    lines = [len(source.splitlines()) for source in sources.values()]
    folders = collections.Counter(path.rpartition("/")[0] for path in sources)
    name, times = names.most_common(1)[0]
    return {
        "modules": f"{len(sources)}",
        "lines": f"{sum(lines):,}",
        "modules under 40 lines": f"{sum(count < 40 for count in lines)}",
        "median lines of a module": f"{statistics.median(lines):.0f}",
        "largest folder": "{1} ({0})".format(*folders.most_common(1)[0]),
        "functions": f"{len(bodies):,}",
        "function body, median": f"{statistics.median(bodies):.0f}",
        "function body, 90th percentile": f"{statistics.quantiles(bodies, n=10)[-1]:.0f}",
        "helpers used once": f"{once}",
        "comment lines in a hundred": f"{100 * comments / sum(lines):.1f}",
        "most used function name": f"{name} ({times})",
    }


def main() -> None:
    """Print a Markdown table with a column for each revision."""
    revisions: list[str | None] = [*sys.argv[1:]] or [None]
    columns = [measure(read_revision(revision)) for revision in revisions]
    print("| figure |", " | ".join(revision or "now" for revision in revisions), "|")
    print("| --- |", " | ".join("---:" for _ in revisions), "|")
    for figure in columns[0]:
        print(f"| {figure} |", " | ".join(column[figure] for column in columns), "|")


if __name__ == "__main__":
    main()
