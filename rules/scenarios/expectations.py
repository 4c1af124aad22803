"""Rule tests: reads files of them, and compares the messages that a chat has of a scenario with the expected ones."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import msgspec
import yaml

from rules.engine.rule import RuleSet, SourceLocation
from rules.football.catalogue import Catalogue
from rules.football.minute import Minute
from rules.loading.document import DocumentInvalid, Report, compose, location_of, mapping_items
from rules.loading.values import Reader
from rules.scenarios.messages import MessageLine, play_scenario
from rules.scenarios.parser import SCENARIO_KEYS, read_scenario
from rules.scenarios.scenario import Scenario

TEST_FILE_KEYS = ("rules", "pack", "kinds", "tests")

TEST_KEYS = ("name", *SCENARIO_KEYS, "kinds", "expect")

_EXPECTATION_PATTERN = re.compile(
    r"(?:(?P<minute>[\d+]+)' )?(?P<kind>\w+)(?: \((?P<rule>.+)\))?(?:,? (?P<state>pending|confirmed|retracted))?"
    r"(?:,? (?P<sound>loud|silent))?"
)

_EXPECTATION_FORM = (
    "27' goal, 27' goal (NAME OF THE RULE), 27' goal retracted or 27' goal loud (or silent), and after a colon words of its text"
)


class RuleTestsInvalid(DocumentInvalid):
    """A file of tests with mistakes."""

    __test__ = False


class RuleTest(msgspec.Struct, frozen=True):
    """One match and the messages expected of it; `kinds` limits them, None means every kind."""

    __test__ = False

    name: str
    location: SourceLocation
    scenario: Scenario
    expected: tuple[MessageLine, ...]
    kinds: frozenset[str] | None = None


class RuleTestFile(msgspec.Struct, frozen=True):
    """A file of tests. `rules` names the file or `pack` the pack to test; if both are empty, the rules in use are tested."""

    __test__ = False

    tests: tuple[RuleTest, ...]
    rules: str = ""
    pack: str = ""


class RuleTestResult(msgspec.Struct, frozen=True):
    """The messages of a test; `diff` is empty if they are as expected, else lines that begin with a space, - or +."""

    test: RuleTest
    messages: tuple[MessageLine, ...]
    diff: tuple[str, ...] = ()

    @property
    def is_passed(self) -> bool:
        """Return True if every expected message came, and no other."""
        return not self.diff


def run_test(test: RuleTest, rules: RuleSet, catalogue: Catalogue | None = None) -> RuleTestResult:
    """Play the match of a test and compare."""
    played = play_scenario(test.scenario, rules, catalogue)
    messages = tuple(message for message in played if test.kinds is None or message.kind in test.kinds)
    lines = tuple(_diff_messages(test.expected, messages))
    return RuleTestResult(test, messages, () if all(line.startswith(" ") for line in lines) else lines)


def _diff_messages(expected: Sequence[MessageLine], messages: Sequence[MessageLine]) -> Iterator[str]:
    """Yield both sequences as one diff: `  ` as expected, `- ` missing, `+ ` not expected.

    By the longest common subsequence. `difflib` compares by equality, and an expectation does not equal its message.
    """
    # How many pairs match from each pair of positions on; the walk below follows the larger number.
    table = [[0] * (len(messages) + 1) for _ in range(len(expected) + 1)]
    for one in reversed(range(len(expected))):
        for other in reversed(range(len(messages))):
            both = table[one + 1][other + 1] + 1 if expected[one].matches(messages[other]) else 0
            table[one][other] = max(both, table[one + 1][other], table[one][other + 1])
    one = other = 0
    while one < len(expected) or other < len(messages):
        if one < len(expected) and other < len(messages) and expected[one].matches(messages[other]):
            yield f"  {messages[other]}"
            one, other = one + 1, other + 1
        elif other == len(messages) or (one < len(expected) and table[one + 1][other] >= table[one][other + 1]):
            yield f"- {expected[one]}"
            one += 1
        else:
            yield f"+ {messages[other]}"
            other += 1


def read_tests(text: str, file: str = "rules.test.yaml") -> RuleTestFile:
    """Read a file of tests. Raises `RuleTestsInvalid` with every mistake."""
    report = Report()
    root = compose(text, file, report)
    tests = _TestFileReader(report).read(root) if root is not None else None
    if root is None and not report.mistakes:
        report.add_mistake(SourceLocation(file, 1, 1), "there are no tests here")
    if report.mistakes or tests is None:
        raise RuleTestsInvalid(report.mistakes)
    return tests


class _TestFileReader:
    """Reads the nodes of one file and reports what is wrong."""

    def __init__(self, report: Report) -> None:
        self.report, self.reader = report, Reader(report)

    def read(self, root: yaml.Node) -> RuleTestFile | None:
        fields = self.reader.read_mapping(root, "a file of tests", TEST_FILE_KEYS)
        if fields is None:
            return None
        if "tests" not in fields:
            self.reader.report_mistake(root, "there are no tests here: write them under tests:")
        if "rules" in fields and "pack" in fields:
            self.reader.report_mistake(fields["pack"], "write rules or pack, not both")
        kinds = self._read_kinds(fields.get("kinds"))
        nodes = self.reader.read_list(fields["tests"], "tests") if "tests" in fields else None
        found = [test for node in nodes or () if (test := self._read_test(node, kinds)) is not None]
        return RuleTestFile(
            tuple(found), self._read_word(fields.get("rules"), "rules"), self._read_word(fields.get("pack"), "pack")
        )

    def _read_word(self, node: yaml.Node | None, what: str) -> str:
        return "" if node is None else self.reader.read_string(node, what) or ""

    def _read_kinds(self, node: yaml.Node | None) -> frozenset[str] | None:
        kinds = self.reader.read_strings(node, "kinds") if node is not None else None
        return frozenset(kind for kind, _ in kinds) if kinds else None

    def _read_test(self, node: yaml.Node, kinds: frozenset[str] | None) -> RuleTest | None:
        fields = self.reader.read_mapping(node, "a test", TEST_KEYS)
        if fields is None or not isinstance(node, yaml.MappingNode):
            return None
        if "expect" not in fields:
            self.reader.report_mistake(node, "a test needs expect: the expected messages, [] for none")
        # A test has the keys of a scenario beside its own, and the reader of scenarios refuses those.
        pairs = [(key, value) for key, value in mapping_items(node) if key.value in SCENARIO_KEYS]
        scenario = read_scenario(yaml.MappingNode(node.tag, pairs, node.start_mark, node.end_mark), self.report)
        lines = (self.reader.read_list(fields["expect"], "expect") if "expect" in fields else None) or []
        expected = [line for at in lines if (line := self._read_expected(at)) is not None]
        # A file of one test needs no name: the match says which it is.
        name = self._read_word(fields.get("name"), "name") or (scenario.fixture.title if scenario else "")
        own = self._read_kinds(fields.get("kinds")) or kinds
        return RuleTest(name, location_of(node), scenario, tuple(expected), own) if scenario else None

    def _read_expected(self, node: yaml.Node) -> MessageLine | None:
        """Read an expected message.

        YAML takes `27' goal (late goals): words` for a mapping of one key, and the same without words, or in quotes, for a text.
        """
        words = mapping_items(node)
        if isinstance(node, yaml.MappingNode) and len(words) != 1:
            self.reader.report_mistake(node, f"an expected alert is of the form {_EXPECTATION_FORM}")
            return None
        whole = self.reader.read_string(node, "an expected alert") if not words else str(words[0][0].value)
        text = self.reader.read_string(words[0][1], "the words expected") if words else ""
        if whole is None or text is None:
            return None
        # In a text the words stand behind the first colon; in a mapping YAML has taken them apart already.
        head, _, quoted = whole.partition(": ")
        found = _EXPECTATION_PATTERN.fullmatch(" ".join(head.split()))
        if found is None or not _is_optional_minute(found["minute"]):
            self.reader.report_mistake(node, f'"{head}" is not of the form {_EXPECTATION_FORM}')
            return None
        return MessageLine(
            minute=found["minute"] or "",
            kind=found["kind"],
            rule=found["rule"] or "",
            state=found["state"] or "",
            text=text or quoted.strip(),
            sound=found["sound"] or "",
        )


def _is_optional_minute(text: str | None) -> bool:
    try:
        return text is None or bool(Minute.parse(text))
    except ValueError:
        return False
