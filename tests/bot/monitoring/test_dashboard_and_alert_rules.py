"""What the handbook says of monitoring is true: names of metrics, their labels and values, incidents."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import re
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.feed.connection import count_unreadable_frame
from bot.metrics import ADMIN_MESSAGES, ALERTS, DECISIONS, DELIVERIES, RULES_FIRED, UNKNOWN_VALUES
from bot.monitoring.admin_messages import describe_duration
from bot.monitoring.incidents import INCIDENT_POLICIES
from bot.telegram.limits.paid_messages import PaidBudget, PaidUse
from bot.telegram.responses import count_response
from tests.bot.monitoring.test_monitor import open_world
from tests.fakes.metric_changes import read_samples

OPERATE = Path(__file__).parents[3] / "docs" / "operate"
DASHBOARD = json.loads((OPERATE / "grafana.json").read_text(encoding="utf-8"))
RULES = yaml.safe_load((OPERATE / "alerts.yaml").read_text(encoding="utf-8"))["groups"][0]["rules"]
ADDED = {"job", "instance"}
"""Labels that Prometheus adds to everything."""
METRIC = re.compile(r"\b((?:touchline|process)_\w+)(?:\{([^}]*)\})?")
MATCHER = re.compile(r'(\w+)\s*(=~?|!~?=?)\s*"([^"]*)"')

Page = dict[str, dict[str, set[str]]]


def expressions() -> list[tuple[str, str, str]]:
    """(where it stands, the expression, the words shown with it)."""
    panels = [(p["title"], t["expr"], t["legendFormat"]) for p in DASHBOARD["panels"] for t in p["targets"]]
    return panels + [(rule["alert"], rule["expr"], " ".join(rule["annotations"].values())) for rule in RULES]


async def _read_paid_budget() -> PaidBudget:
    return PaidBudget(PaidUse(1200), 5000)


async def page() -> Page:
    """By metric, the values of each label, on a page where everything has happened once."""
    for counter, labels in (
        (ALERTS, ("goal", "confirmed")),
        (DECISIONS, ("first",)),
        (RULES_FIRED, ("goals",)),
        (ADMIN_MESSAGES, ("x",)),
        (UNKNOWN_VALUES, ("action type", "Beach Ball")),
    ):
        counter.labels(*labels)
    DELIVERIES.labels("send", "goal", "first")
    count_unreadable_frame("not-json")
    count_response("send")
    async with open_world() as world:
        world.api_health.on_response(200, "Sun, 22 Nov 2026 21:00:00 GMT")
        world.monitor.read_paid_budget = _read_paid_budget
        await asyncio.sleep(1)
        found: Page = defaultdict(lambda: defaultdict(set))
        for name, labels in read_samples((await world.monitor.render_metrics()).decode()):
            found[name]  # a metric without labels is there, too
            for label, value in labels:
                found[name][label].add(value)
    return found


@pytest.mark.virtual_time
async def test_every_metric_label_and_value_that_a_panel_or_an_alert_asks_for_is_on_the_page() -> None:
    real, wrong = await page(), []
    for where, expression, _ in expressions():
        for name, matchers in METRIC.findall(expression):
            if name not in real:
                wrong.append(f"{where}: {name}")
            for label, _, values in MATCHER.findall(matchers):
                if label not in ADDED and not set(values.split("|")) <= real[name][label]:
                    wrong.append(f"{where}: {name}{{{label}={values}}}")

    assert wrong == []


@pytest.mark.virtual_time
async def test_what_is_grouped_by_and_shown_are_labels_of_the_metrics() -> None:
    real, wrong = await page(), []
    for where, expression, shown in expressions():
        known = ADDED.union(*(real[name] for name, _ in METRIC.findall(expression)))
        grouped = {label.strip() for labels in re.findall(r"\b(?:by|on) \(([^)]*)\)", expression) for label in labels.split(",")}
        named = set(re.findall(r"\{\{\s*(?:\$labels\.)?(\w+)\s*\}\}", shown))
        if not (grouped <= known and named <= (grouped or known)):
            wrong.append((where, grouped - known, named - grouped))

    assert wrong == []


def test_the_dashboard_can_be_imported_and_its_panels_lie_beside_each_other() -> None:
    fields = [(p["gridPos"]["x"], p["gridPos"]["y"]) for p in DASHBOARD["panels"]]
    sources: set[Any] = {t["datasource"]["uid"] for p in DASHBOARD["panels"] for t in p["targets"]}

    assert len(set(fields)) == len(fields) == len({p["id"] for p in DASHBOARD["panels"]})
    assert sources == {f"${{{DASHBOARD['__inputs'][0]['name']}}}"}


def test_every_trouble_has_a_section_and_no_section_is_stale() -> None:
    text = (OPERATE / "messages.md").read_text(encoding="utf-8")

    assert sorted(re.findall(r"^## `(.+)`$", text, re.MULTILINE)) == sorted(INCIDENT_POLICIES)


def test_the_table_says_when_each_is_told_and_over() -> None:
    rows = dict(re.findall(r"^\| \[(.+)\]\(#\1\) \| .+ \| (.+) \|$", (OPERATE / "messages.md").read_text("utf-8"), re.MULTILINE))

    assert rows == {
        name: describe_duration(dt.timedelta(seconds=policy.resolve_after)) for name, policy in INCIDENT_POLICIES.items()
    }


@pytest.mark.virtual_time
async def test_the_page_on_monitoring_names_every_metric() -> None:
    text = (OPERATE / "monitoring.md").read_text(encoding="utf-8")
    documented = set(re.findall(r"`(touchline_\w+)(?:\{[^`]*\})?`", text))
    real = {re.sub(r"_(bucket|count|sum)$", "", name) for name in await page() if name.startswith("touchline_")}

    assert documented == real
