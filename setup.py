"""Compiles the catalogues of languages when Touchline is installed; everything else stands in pyproject.toml."""

import sys
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

sys.path.insert(0, str(Path(__file__).resolve().parent))

from bot.i18n.compile import compile_catalogues


class BuildWithWords(build_py):
    """Has the compiled catalogues among the package's files."""

    def run(self) -> None:
        """Compile, then build as ever."""
        compile_catalogues()
        super().run()


setup(cmdclass={"build_py": BuildWithWords})
