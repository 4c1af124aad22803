"""Changes pure modules in small ways and counts how many of these mutants the tests notice; `tests/mutation.sh` runs it.

The mutants are mutmut's. Its runner is not used: it keeps all mutants of a function in one module and chooses among them at
run time, so it leaves out what is decorated (properties, caches) and what stands outside of functions (constants, defaults,
enums). Here each mutant is imported in place of its module, in a process of its own, and the tests that execute the changed
lines run until one fails.
"""

from __future__ import annotations

import ast
import contextlib
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import json
import os
import random
import resource
import signal
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Generator, Sequence
from dataclasses import asdict, dataclass, field
from functools import cache, partial
from itertools import islice
from pathlib import Path
from types import CodeType, ModuleType
from typing import NoReturn

import coverage
import libcst
import pytest
from mutmut.mutation import file_mutation
from mutmut.mutation.pragma_handling import IgnoredCode

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "build" / "mutation"
DEFAULT_SAMPLE, DEFAULT_SEED = "200", "1"

PYTEST_OPTIONS = (
    "-q",
    "-x",
    "--tb=line",
    "--hypothesis-seed=0",
    "--hypothesis-profile=thorough",
    "-mnot whole_process",
    "-pno:cacheprovider",
    "-pno:xdist",
)

_CPU_SECONDS = 30
"""The processor time that a mutant has, besides ten times what its tests take without it. One that does not end is noticed."""
_HANG_SECONDS = 600
"""Ends a mutant that waits for ever. Long, since the machine may be busy."""
_FEW_TESTS = 3
"""Where fewer tests execute a line, its result may be kept for others (`functools.cache`), so all tests are run."""


@dataclass(frozen=True)
class Package:
    """What is mutated, and the tests that are to notice."""

    modules: tuple[str, ...]
    tests: tuple[str, ...]


def _whole(folder: str) -> tuple[str, ...]:
    return tuple(sorted(str(path.relative_to(ROOT)) for path in (ROOT / folder).rglob("*.py") if path.name != "__init__.py"))


RULES = ("tests/rules",)
SENDING = ("tests/bot/outbox", "tests/bot/telegram")
# Of rate_shares and suspensions half is pure; the rest is a thin edge to the database, which the tests execute too.
_TELEGRAM_MODULES = (
    "alert_keyboard", "change_replies", "html", "limits/circuit_breaker", "limits/rate_limits", "limits/rate_shares",
    "mentions", "plan", "planning", "queues", "refused_messages", "render", "reply_accounting", "responses", "shared_plans",
    "suspension_brake", "suspensions", "unanswered",
)  # fmt: skip
PACKAGES = {
    "rules/football": Package(_whole("rules/football"), RULES),
    "rules/engine": Package(_whole("rules/engine"), RULES),
    # The others have the sentence for each example in tests/bad, and what editors show of each condition.
    "rules/loading": Package(
        _whole("rules/loading"), (*RULES, "tests/bot/config/test_load.py", "tests/bot/config/test_json_schema.py")
    ),
    "rules/scenarios": Package(_whole("rules/scenarios"), RULES),
    "bot/outbox": Package(tuple(f"bot/outbox/{name}.py" for name in ("decide", "delivery", "digests", "news")), SENDING),
    "bot/telegram": Package(tuple(f"bot/telegram/{name}.py" for name in _TELEGRAM_MODULES), SENDING),
}


@dataclass(frozen=True)
class Mutant:
    """One change of one module."""

    path: str
    """The module's path from the root."""
    lines: list[int]
    """The numbers of the lines that were changed."""
    diff: str
    """The change, to read."""
    code: str
    """The whole module, changed."""


# --- Making mutants


class _MutationVisitor(file_mutation.MutationVisitor):
    """mutmut's, with decorated functions, which it leaves out only because its runner cannot copy them."""

    def __init__(self) -> None:
        super().__init__(file_mutation.mutation_operators, IgnoredCode(set(), set(), set()))
        self._class_keywords: set[libcst.CSTNode] = set()

    def _skip_node_and_children(self, node: libcst.CSTNode) -> bool:
        if isinstance(node, libcst.FunctionDef) and node.decorators:
            return False
        if isinstance(node, libcst.ClassDef):
            # Such as `frozen=True`: that nobody writes to such a struct, mypy knows.
            self._class_keywords.update(node.keywords)
        return node in self._class_keywords or super()._skip_node_and_children(node)


def make_mutants(path: str) -> list[Callable[[], Mutant | None]]:
    """Return what makes each mutant of a module. Annotations, docstrings and decorators are left alone.

    Making one takes a moment, and most are not in the sample. None is made where the change is no Python at all, such as an
    argument without a name after one with a name.
    """
    source = (ROOT / path).read_text(encoding="utf-8")
    wrapper = libcst.MetadataWrapper(libcst.parse_module(source))
    visitor = _MutationVisitor()
    module = wrapper.visit(visitor)

    def make(mutation: file_mutation.Mutation) -> Mutant | None:
        changed = module.deep_replace(mutation.original_node, mutation.mutated_node)
        assert isinstance(changed, libcst.Module)
        try:
            compile(changed.code, path, "exec")
        except SyntaxError:
            return None
        return Mutant(path, *_compare(source.splitlines(), changed.code.splitlines()), changed.code)

    return [partial(make, mutation) for mutation in visitor.mutations]


def _compare(old: list[str], new: list[str]) -> tuple[list[int], str]:
    """Return the numbers of the old lines that were changed, and the difference to read."""
    start = next(i for i, (a, b) in enumerate(zip(old, new, strict=False)) if a != b)
    end = next(i for i, (a, b) in enumerate(zip(reversed(old), reversed(new), strict=False)) if a != b)
    end = min(end, len(old) - start, len(new) - start)
    removed, added = old[start : len(old) - end], new[start : len(new) - end]
    lines = list(range(start + 1, start + 1 + max(1, len(removed))))
    return lines, "\n".join([f"    - {line.strip()}" for line in removed] + [f"    + {line.strip()}" for line in added])


def _statements(path: str) -> dict[int, range | None]:
    """Return by line the lines of its innermost statement. None for what is executed when the module is imported."""
    found: dict[int, range | None] = {}

    def visit(node: ast.AST, in_function: bool) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, (ast.stmt, ast.ExceptHandler, ast.match_case)) and hasattr(child, "lineno"):
                lines = range(child.lineno, (child.end_lineno or child.lineno) + 1)
                found.update(dict.fromkeys(lines, lines if in_function else None))
                body = getattr(child, "body", None)
                if body and in_function:  # The heading alone, such as the condition of an `if`.
                    heading = range(child.lineno, max(body[0].lineno, child.lineno + 1))
                    found.update(dict.fromkeys(heading, heading))
            visit(child, in_function or isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)))

    visit(ast.parse((ROOT / path).read_text(encoding="utf-8")), in_function=False)
    return found


# --- Running tests against one


@dataclass
class Baseline:
    """What the tests do without a mutant."""

    seconds: dict[str, float] = field(default_factory=dict)
    """The processor time of each test, with its setup and teardown."""
    tests_by_line: dict[str, dict[int, list[str]]] = field(default_factory=dict)
    """By module and line. What is executed on import has the test ""."""
    imported: list[str] = field(default_factory=list)
    """The modules of others that were imported."""

    def choose_tests(self, mutant: Mutant) -> list[str]:
        """Return the tests that execute the changed lines. Those that an import executes concern all tests."""
        by_line, statements = self.tests_by_line[mutant.path], _statements(mutant.path)
        chosen: set[str] = set()
        for line in mutant.lines:
            statement = statements.get(line)
            if statement is None:
                return list(self.seconds)
            chosen.update(name for number in statement for name in by_line.get(number, ()))
        return list(self.seconds) if "" in chosen or 0 < len(chosen) < _FEW_TESTS else sorted(chosen)


class _MutantLoader(importlib.machinery.SourceFileLoader):
    """Loads a module from changed source. The file is not touched."""

    def __init__(self, fullname: str, path: str, code: str) -> None:
        super().__init__(fullname, path)
        self._code = code

    def get_code(self, fullname: str) -> CodeType:
        return compile(self._code, self.path, "exec", dont_inherit=True)


class _MutantFinder(importlib.abc.MetaPathFinder):
    """Stands before the usual finders and knows one module: the mutant."""

    def __init__(self, mutant: Mutant) -> None:
        self._module = mutant.path.removesuffix(".py").replace("/", ".")
        self._loader = _MutantLoader(self._module, str(ROOT / mutant.path), mutant.code)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        return importlib.util.spec_from_loader(fullname, self._loader) if fullname == self._module else None


class _TestRecorder:
    """A plugin of pytest that notes which lines each test executes, and how long it takes."""

    def __init__(self, baseline: Baseline, measurement: coverage.Coverage) -> None:
        self._baseline = baseline
        self._measurement = measurement

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        self._measurement.switch_context(item.nodeid)
        started = time.process_time()
        try:
            return (yield)
        finally:
            self._baseline.seconds[item.nodeid] = time.process_time() - started
            self._measurement.switch_context("")


class _TestSelector:
    """A plugin of pytest that keeps some tests, the shortest first."""

    def __init__(self, seconds: dict[str, float]) -> None:
        self._seconds = seconds

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self, session: pytest.Session) -> None:
        session.config.args = sorted({name.partition("::")[0] for name in self._seconds})

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = sorted((item for item in items if item.nodeid in self._seconds), key=lambda item: self._seconds[item.nodeid])


class _Fork:
    """A plugin of pytest that forks once pytest has started and nothing of ours is imported: so no mutant costs a start.

    The parent never returns from `in_parent`; a child leaves it and goes on as pytest.
    """

    def __init__(self, in_parent: Callable[[_Fork], NoReturn]) -> None:
        self._in_parent = in_parent
        self.plugins: pytest.PytestPluginManager
        self.finish: Callable[[], None] = lambda: None
        """What a child does at its end."""

    @pytest.hookimpl(tryfirst=True)
    def pytest_load_initial_conftests(self, early_config: pytest.Config) -> None:
        self.plugins = early_config.pluginmanager
        with contextlib.suppress(_InChild):
            self._in_parent(self)

    @pytest.hookimpl(trylast=True)
    def pytest_configure(self) -> None:
        """Nothing that an earlier run found is tried first: every run does the same."""
        import hypothesis  # pytest complains of a plugin that was imported before it.

        usual = hypothesis.settings.get_profile(hypothesis.settings.get_current_profile_name())
        hypothesis.settings.register_profile("mutation", usual, database=None)
        hypothesis.settings.load_profile("mutation")
        random.seed(0)

    def run(self, prepare: Callable[[], None], cpu_seconds: int) -> int | None:
        """Run the tests in a child after `prepare`. Returns pytest's exit status, or None if the child did not end by itself."""
        sys.stdout.flush()
        child = os.fork()
        if child:
            return _wait(child)
        os.setsid()
        resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds + 5))
        prepare()
        raise _InChild


class _InChild(Exception):
    """Leads a child out of the parent's loop, back into pytest."""


def _wait(child: int) -> int | None:
    deadline = time.monotonic() + _HANG_SECONDS
    try:
        while time.monotonic() < deadline:
            ended, status = os.waitpid(child, os.WNOHANG)
            if ended:
                return os.waitstatus_to_exitcode(status) if os.WIFEXITED(status) else None
            time.sleep(0.01)
    except KeyboardInterrupt:
        os.killpg(child, signal.SIGKILL)  # It has a session of its own, and so did not hear of Ctrl-C.
        raise
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return None


def _measure(fork: _Fork, package: Package, name: str) -> Baseline:
    """Run all tests of a package without a mutant."""
    file = RESULTS / f"{_file_name(name)}.baseline.json"
    file.unlink(missing_ok=True)

    def prepare() -> None:
        baseline = Baseline()
        paths = [str(ROOT / path) for path in package.modules]
        measurement = coverage.Coverage(data_file=None, config_file=False, include=paths)
        fork.plugins.register(_TestRecorder(baseline, measurement))

        def finish() -> None:
            measurement.stop()
            for path in package.modules:
                baseline.tests_by_line[path] = measurement.get_data().contexts_by_lineno(str(ROOT / path))
            own = ("bot", "rules", "tests", "__main__")
            baseline.imported = sorted(module for module in sys.modules if module.partition(".")[0] not in own)
            file.write_text(json.dumps(asdict(baseline)))

        fork.finish = finish
        measurement.start()

    status = fork.run(prepare, 3600)
    if status != 0:
        sys.exit(f"mutation: the tests of {name} fail without a mutant, see {RESULTS.relative_to(ROOT)}/{_file_name(name)}.log")
    baseline = Baseline(**json.loads(file.read_text()))
    baseline.tests_by_line = {
        path: {int(line): tests for line, tests in by_line.items()} for path, by_line in baseline.tests_by_line.items()
    }
    return baseline


def _is_noticed(fork: _Fork, mutant: Mutant, baseline: Baseline) -> bool:
    tests = baseline.choose_tests(mutant)
    if not tests:
        return False
    seconds = {test: baseline.seconds[test] for test in tests}

    def prepare() -> None:
        sys.meta_path.insert(0, _MutantFinder(mutant))
        fork.plugins.register(_TestSelector(seconds))

    return fork.run(prepare, int(_CPU_SECONDS + 10 * sum(seconds.values()))) != 0


def _is_refused_by_mypy(mutant: Mutant) -> bool:
    """Return True if `make check` notices a mutant that the tests do not, such as a default of None for a text."""
    shadow = RESULTS / "mutant.py"
    # mypy takes a shadow of the same size for the module itself, whose result it has in its cache.
    is_same_size = len(mutant.code.encode()) == (ROOT / mutant.path).stat().st_size
    shadow.write_text(mutant.code + "\n" * is_same_size, encoding="utf-8")
    return _is_accepted_by_mypy(mutant.path) and not _run_mypy("--shadow-file", mutant.path, str(shadow), mutant.path)


@cache
def _is_accepted_by_mypy(path: str) -> bool:
    """Return True if mypy has nothing against the module as it is: only then does its word on a mutant say anything."""
    return _run_mypy(path)


def _run_mypy(*arguments: str) -> bool:
    command = [sys.executable, "-m", "mypy", "--cache-dir", str(RESULTS / "mypy"), *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True).returncode == 0


def _file_name(package: str) -> str:
    return package.replace("/", "-")


def try_package(name: str, sample: str, seed: str) -> NoReturn:
    """Try a sample of a package's mutants, print those that nothing notices and the score, and leave with 0."""
    package = PACKAGES[name]
    file = RESULTS / f"{_file_name(name)}.survivors.json"
    # What pytest prints goes to a file, and it captures sys.stdout, so the report has a descriptor of its own.
    output = os.fdopen(os.dup(sys.stdout.fileno()), "w", buffering=1)
    with (RESULTS / f"{_file_name(name)}.log").open("w") as log:
        os.dup2(log.fileno(), sys.stdout.fileno())

    def in_parent(fork: _Fork) -> NoReturn:
        makers = [maker for path in package.modules for maker in make_mutants(path)]
        if sample == "survivors":
            made = {number: makers[number]() for number in json.loads(file.read_text())}
        else:
            numbers = random.Random(f"{seed} {name}").sample(range(len(makers)), len(makers))
            made = dict(islice(((number, mutant) for number in numbers if (mutant := makers[number]())), int(sample)))
        mutants = sorted(made.items())
        print(f"== {name}: {len(mutants)} of {len(makers)} mutants, seed {seed}", file=output)
        baseline = _measure(fork, package, name)
        # What is imported here, before the fork, is not imported again for each mutant.
        with warnings.catch_warnings(action="ignore"):
            for module in baseline.imported:
                with contextlib.suppress(Exception):
                    importlib.import_module(module)
        survivors = []
        refused = 0
        for number, mutant in mutants:
            if _is_noticed(fork, mutant, baseline):
                continue
            if _is_refused_by_mypy(mutant):
                refused += 1
                continue
            survivors.append(number)
            print(f"{mutant.path}:{mutant.lines[0]}\n{mutant.diff}", file=output)
        file.write_text(json.dumps(survivors))
        noticed = len(mutants) - len(survivors)
        score = f"{100 * noticed / max(1, len(mutants)):.1f} %"
        print(f"== {name}: {noticed} of {len(mutants)} noticed, {refused} of them by mypy alone: {score}", file=output)
        os._exit(0)

    fork = _Fork(in_parent)
    status = pytest.main([*PYTEST_OPTIONS, *package.tests], plugins=[fork])
    fork.finish()  # Only a child comes here.
    os._exit(status)


def main(arguments: Sequence[str]) -> int:
    """Try each package in a process of its own. Returns 0, or 1 if the tests of one fail without any mutant."""
    name, sample, seed = (*arguments, *("all", DEFAULT_SAMPLE, DEFAULT_SEED)[len(arguments) :])[:3]
    if name not in ("all", *PACKAGES) or not (sample == "survivors" or sample.isdecimal()) or len(arguments) > 3:
        sys.exit(f"usage: tests/mutation.sh [PACKAGE] [SAMPLE|survivors] [SEED], PACKAGE one of: all {' '.join(PACKAGES)}")
    RESULTS.mkdir(parents=True, exist_ok=True)
    failed = 0
    for package in PACKAGES if name == "all" else [name]:
        sys.stdout.flush()
        child = os.fork()
        if not child:
            try_package(package, sample, seed)
        failed |= os.waitpid(child, 0)[1]
    return int(failed != 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
