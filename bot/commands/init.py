"""The commands `init` and `schema`: a first configuration, and what editors need to complete and check it."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from bot.errors import UserMistake, explain_file_error
from bot.installation import find_program

SCHEMA_FOLDER = "schemas"

_KINDS = ("config", "rules", "tests", "scenarios")

# Short, so that a person reads all of it. config.example.yaml has every setting. Tests run `check` and `test` on these files.
_CONFIG = """\
# Touchline's configuration. `touchline check` finds every mistake, `touchline doctor` asks whether all is ready.
# The tokens are variables of the environment, or of a file: touchline --env-file .env run
feed:
  token: ${FEED_TOKEN}
telegram:
  token: ${TELEGRAM_BOT_TOKEN}         # from @BotFather
  admins: []                           # your user id, such as [123456789], for /status, /rules and news of trouble
storage:
  url: sqlite:///touchline.db          # or postgresql://USER:PASSWORD@HOST/NAME
http:
  listen: 127.0.0.1:8080               # /healthz /readyz /metrics; null: off

# Chats subscribe by /subscribe. Those that you set up here need no command:
chats: []
#  - chat: -100123456789
#    subscribe: [{team: Arsenal}, {competition: Premier League}]

# Your own rules come first; the first one that matches fires. Those of the pack come after them.
extends: default
rules:
  - name: late goals
    match: {action_type: Goal, minute: {from: 85}}
    alert:
      kind: goal
      importance: major                # with sound; minor: silent
      text: |-
        🚨 <b>{{ match }}</b>
        {{ minute }}' {{ player or team }}
"""

_TESTS = """\
# What the rules are to send. Prove it: touchline test rules.test.yaml
rules: config.yaml
kinds: [goal]
tests:
  - name: late goals have their own text
    match: Arsenal v Chelsea
    events:
      - 60' goal Palmer (Chelsea)
      - 88' goal Saka (Arsenal)
    expect:
      - 60' goal (goals) loud
      - "88' goal (late goals) loud: 🚨 Arsenal 1–1 Chelsea"
"""

_MATCH = """\
# A match to play: touchline chat --match derby.yaml, touchline replay derby.yaml
match: Arsenal v Chelsea
competition: Premier League
events:
  - 27' goal Palmer (Chelsea), disallowed for offside after a video check
  - 60' yellow card Caicedo (Chelsea), red after 60s
  - 88' goal Saka (Arsenal)
"""

FILES = {"config.yaml": ("config", _CONFIG), "rules.test.yaml": ("tests", _TESTS), "derby.yaml": ("scenarios", _MATCH)}
"""By name, the files that `init` writes, each with the name of its schema."""


@click.command()
@click.argument("kind", type=click.Choice(_KINDS), default="config")
def schema_command(kind: str) -> None:
    """Print the JSON Schema of config.yaml, or of rules, tests or scenarios, by which editors complete and check them."""
    from bot.config.json_schema import SCHEMAS, format_schema

    click.echo(format_schema(SCHEMAS[kind]()), nl=False)


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), default=Path())
def init_command(folder: Path) -> None:
    """Write a first config.yaml, a test, a match, and the schemas for your editor; nothing that is there is changed."""
    for line in write_first_files(folder):
        click.echo(line)
    click.echo("Next:")
    for line in list_next_steps(folder):
        click.echo(f"  {line}")


def list_next_steps(folder: Path) -> tuple[str, ...]:
    """Return the commands that try the first files, as they can be copied into this shell."""
    program, config = find_program(), shlex.quote(str(folder / "config.yaml"))
    tests, match = (shlex.quote(str(folder / name)) for name in ("rules.test.yaml", "derby.yaml"))
    return (
        f"{program} check {config}",
        f"{program} test {tests}",
        f"{program} chat --config {config} --match {match}",
    )


def write_first_files(folder: Path) -> list[str]:
    """Write the files that are not there yet, and the schemas anew; return a line for each. Raises UserMistake."""
    from bot.config.json_schema import SCHEMAS, format_schema

    lines = []
    schemas = folder / SCHEMA_FOLDER
    try:
        schemas.mkdir(parents=True, exist_ok=True)
        # Written anew each time: after an update the editor knows the new settings.
        for kind in _KINDS:
            path = schemas / f"{kind}.schema.json"
            path.write_text(format_schema(SCHEMAS[kind]()), encoding="utf-8")
            lines.append(f"{path}: written")
        for name, (kind, text) in FILES.items():
            path = folder / name
            if path.exists():
                lines.append(f"{path}: is there already, and stays as it is")
                continue
            # The whole address: the editor finds the schema wherever the file is copied to.
            address = (schemas / f"{kind}.schema.json").resolve().as_uri()
            path.write_text(f"# yaml-language-server: $schema={address}\n{text}", encoding="utf-8")
            lines.append(f"{path}: written")
    except OSError as error:
        raise UserMistake(f"{error.filename or folder}: it cannot be written: {explain_file_error(error)}") from error
    return lines
