"""The sandbox of alert texts: a template reaches nothing but its variables, and cannot take long or become large.

Operators write the texts, and admins may send rules in a chat. A text runs in the process that follows live matches, for every
alert, so that `{{ 'a' * 500000000 }}` would stop it for minutes, also in a branch that no sample reaches.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextvars import ContextVar
from typing import Any

from jinja2 import StrictUndefined, nodes
from jinja2.exceptions import SecurityError, TemplateSyntaxError
from jinja2.runtime import Context, markup_join
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeTransformer

MAX_SOURCE_LENGTH = 20_000
"""Characters of a template. Telegram takes 4,096 of what it makes."""

_MAX_LENGTH = 20_000
"""Characters of any value that a template computes, and items of any list."""

_MAX_NUMBER = 1000
"""The largest width, count or size that a filter or a method takes."""

_MAX_BITS = 4096
"""Binary digits of a computed number."""

_MAX_STEPS = 5000
"""Calls, filters, operations and turns of loops in one rendering. A long text takes some dozens."""

_REFUSED_METHODS = frozenset({"center", "ljust", "rjust", "zfill", "expandtabs", "format", "format_map", "translate"})
"""Methods whose result may be of any size, and which no text needs: there are filters for it."""

_LARGE_WIDTH = re.compile(r"%[^%a-zA-Z]*(?:\d{4,}|\*)")

_LARGE_FIELD = re.compile(r"\d{4,}|\{[^{}]*\{")
"""In a text that is formatted by its method: a large width, or one that a value gives."""

_Steps = list[int]

_steps: ContextVar[_Steps | None] = ContextVar("steps", default=None)
"""What is left of _MAX_STEPS in the rendering at work."""


class TextEnvironment(ImmutableSandboxedEnvironment):
    """Jinja's sandbox with limits on time and size. A misspelt variable is an error and not an empty text."""

    intercepted_binops = frozenset({"+", "*", "**", "%"})

    def __init__(self) -> None:
        super().__init__(autoescape=True, undefined=StrictUndefined)
        # `range`, `lipsum` and others make something out of nothing; a text has its variables.
        self.globals = {}
        self.filters = {name: _limit_filter(name, function) for name, function in self.filters.items()}
        self.filters |= {_COUNT_TURNS: _count_turns, _JOIN: _join}

    def parse_text(self, source: str) -> nodes.Template:
        """Parse a text. Raise TemplateError, or RecursionError if it is nested too deeply."""
        if len(source) > MAX_SOURCE_LENGTH:
            raise TemplateSyntaxError(f"it is longer than {MAX_SOURCE_LENGTH:,} characters", 1)
        tree: nodes.Template = _LimitLoops().visit(self.parse(source))
        return tree

    def render_text(self, template: Any, values: Mapping[str, Any]) -> str:
        """Render a template. Raise whatever the template raises; SecurityError if it goes over a limit."""
        # In a context variable: filters are shared by all templates, and several texts may be rendered at once.
        token = _steps.set([_MAX_STEPS])
        try:
            # Piece by piece, so that a text that grows without end is stopped while it is small.
            pieces, length = [], 0
            for piece in template.generate(values):
                pieces.append(piece)
                length += len(piece)
                if length > _MAX_LENGTH:
                    raise SecurityError("it makes too long a text")
            return "".join(pieces)
        finally:
            _steps.reset(token)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Compute `+`, `*`, `**` or `%`, unless the result would be too large."""
        _take_step()
        if operator == "*":
            for one, times in ((left, right), (right, left)):
                if isinstance(one, (str, list, tuple)) and isinstance(times, int) and len(one) * times > _MAX_LENGTH:
                    raise SecurityError("it repeats a text or a list too often")
        if operator == "**" and isinstance(left, int) and isinstance(right, int) and abs(left).bit_length() * right > _MAX_BITS:
            raise SecurityError("it computes too large a number")
        if operator == "%" and isinstance(left, str):
            _check_format(left)
        return _check_size(super().call_binop(context, operator, left, right))

    def wrap_str_format(self, value: Any) -> Callable[..., str] | None:
        """Refuse a text's method `format` with a large width. Jinja wraps the method, so `call` does not see whose it is."""
        wrapped = super().wrap_str_format(value)
        # Before it runs: the size of a result is checked when the memory is taken already.
        if wrapped is not None and _LARGE_FIELD.search(value.__self__.replace("{{", "")):
            raise SecurityError("it formats with too large a width")
        return wrapped

    def call(__self, __context: Context, __obj: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: N805
        """Call a function or a method, unless it may take long or give something too large."""
        _take_step()
        _check_arguments((*args, *kwargs.values()))
        owner, name = getattr(__obj, "__self__", None), getattr(__obj, "__name__", "")
        if isinstance(owner, str):
            if name in _REFUSED_METHODS:
                raise SecurityError(f"the method {name} is not allowed in texts")
            _check_product(owner, name, args)
        return _check_size(super().call(__context, __obj, *args, **kwargs))


_COUNT_TURNS, _JOIN = "_count_turns", "_join"


class _LimitLoops(NodeTransformer):
    """Lets every loop count its turns, and `~` check what it makes."""

    def visit_For(self, node: nodes.For) -> nodes.Node:  # noqa: N802
        if node.recursive:
            raise TemplateSyntaxError("recursive loops are not allowed in texts", node.lineno)
        self.generic_visit(node)
        node.iter = nodes.Filter(node.iter, _COUNT_TURNS, [], [], None, None, lineno=node.lineno, environment=node.environment)
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        parts = nodes.List(node.nodes, lineno=node.lineno, environment=node.environment)
        return nodes.Filter(parts, _JOIN, [], [], None, None, lineno=node.lineno, environment=node.environment)


def _take_step() -> None:
    steps = _steps.get()
    if steps is None:
        return  # the template is being compiled, which computes no more than its source says
    steps[0] -= 1
    if steps[0] < 0:
        raise SecurityError("it takes too many steps")


def _count_turns(items: Iterable[Any]) -> Iterator[Any]:
    for item in items:
        _take_step()
        yield item


def _join(parts: list[Any]) -> str:
    _take_step()
    joined: str = _check_size(markup_join(parts))
    return joined


def _limit_filter(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a filter that checks its arguments before, and its result after it runs."""
    # Some filters get the environment or the context as their first argument, as this attribute says; `wraps` copies it.
    first = 1 if hasattr(function, "jinja_pass_arg") else 0

    @functools.wraps(function)
    def limited(*args: Any, **kwargs: Any) -> Any:
        _take_step()
        value, given = args[first], (*args[first + 1 :], *kwargs.values())
        _check_arguments(given)
        if name == "format":
            _check_format(str(value))
        _check_product(value, name, given)
        return _check_size(function(*args, **kwargs))

    return limited


def _check_arguments(values: Iterable[Any]) -> None:
    if any(isinstance(value, (int, float)) and abs(value) > _MAX_NUMBER for value in values):
        raise SecurityError("it takes too large a number")


def _check_format(pattern: str) -> None:
    if _LARGE_WIDTH.search(pattern):
        raise SecurityError("it formats with too large a width")


def _check_product(value: Any, name: str, args: Iterable[Any]) -> None:
    """Refuse `replace` and `join` with long texts on both sides: the result would be as long as their product."""
    if name not in ("replace", "join", "indent") or not hasattr(value, "__len__"):
        return
    longest = max((len(arg) if isinstance(arg, (str, list, tuple)) else arg for arg in args if arg), default=0)
    if isinstance(longest, int) and (len(value) + 1) * longest > _MAX_LENGTH * 50:
        raise SecurityError(f"{name} makes too long a text")


def _check_size(value: Any) -> Any:
    if isinstance(value, (str, list, tuple, dict)) and len(value) > _MAX_LENGTH:
        raise SecurityError("it makes too long a text or list")
    if isinstance(value, int) and value.bit_length() > _MAX_BITS:
        raise SecurityError("it computes too large a number")
    return value
