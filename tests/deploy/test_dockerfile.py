"""The Dockerfile, read: what its steps are, and that they fit what they are made for."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from bot.cli import main
from bot.config.models import HttpSettings
from deploy.dockerfile import Stage, Step, environment, stages

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "Dockerfile").read_text(encoding="utf-8")


@pytest.fixture
def image() -> Stage:
    """The last stage."""
    return stages(TEXT)[-1]


def test_lines_are_joined_and_remarks_left_out() -> None:
    text = "FROM a AS b\nRUN one \\\n# a remark\n    && two\n\nFROM c\nCOPY --from=b /x /x\n"

    (first, second) = stages(text)

    assert (first.base, first.name, first.steps) == ("a", "b", [Step("RUN", "one     && two")])
    assert (second.base, second.name, second.steps) == ("c", "", [Step("COPY", "--from=b /x /x")])


def test_a_step_before_the_first_from_is_refused() -> None:
    with pytest.raises(ValueError, match="RUN stands before the first FROM"):
        stages("RUN true\nFROM a\n")


def test_an_environment_looks_up_what_is_known() -> None:
    assert environment(Step("ENV", 'PATH=/opt:$PATH NAME="two words"'), {"PATH": "/bin"}) == {
        "PATH": "/opt:/bin",
        "NAME": "two words",
    }


def test_a_health_check_is_an_exec_form() -> None:
    stage = Stage("a", "", [Step("HEALTHCHECK", '--interval=30s CMD ["ask", "it"]')])

    assert stage.health == ("ask", "it")


def test_every_stage_begins_with_the_same_pinned_python_and_the_last_one_is_not_root(image: Stage) -> None:
    bases = {stage.base for stage in stages(TEXT)}

    assert [bool(re.fullmatch(r"python:3\.\d+-slim", base)) for base in bases] == [True]
    assert re.fullmatch(r"\d{4,}:\d{4,}", image.last("USER").words)


def test_what_is_copied_is_there_and_is_not_kept_out(image: Stage) -> None:
    let_in = {line.removeprefix("!") for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copied = {word for step in stages(TEXT)[0].steps if step.name == "COPY" for word in step.words.split()[:-1]}

    assert copied == let_in
    assert all((ROOT / name).exists() for name in copied)


def test_it_runs_touchline_with_a_command_that_exists(image: Stage) -> None:
    (entry,), words = image.last("ENTRYPOINT").array, image.last("CMD").array

    assert isinstance(main, click.Group)
    assert entry == "touchline"
    assert main.commands[words[0]].make_context(words[0], list(words[1:])).params["config_path"] == Path("/config/config.yaml")


def test_its_health_check_asks_where_the_pages_are_by_default(image: Stage) -> None:
    host, _, port = str(HttpSettings().listen).rpartition(":")

    assert f"'{host}', os.environ.get('HTTP_PORT', {port})" in image.health[-1]
    assert f"listen: ${{HTTP_HOST:-{host}}}:${{HTTP_PORT:-{port}}}" in (ROOT / "config.example.yaml").read_text(encoding="utf-8")
    compile(image.health[-1], "HEALTHCHECK", "exec")
