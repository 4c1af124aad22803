"""Each alert rule of docs/operate/alerts.yaml fires when it should, and not before: proved by Prometheus' own promtool."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[3]

RULES = ROOT / "docs" / "operate" / "alerts.yaml"

RUNBOOK = (ROOT / "docs" / "operate" / "alerts.md").read_text(encoding="utf-8")

ALERTS = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"][0]["rules"]

HERE = 'job="touchline", instance="a"'

# By alert: the series that make it fire, a minute between two values, and then series that must not.
CASES: dict[str, tuple[dict[str, str], dict[str, str]]] = {
    "TouchlineDown": (
        {f"up{{{HERE}}}": "1x5 0x30", 'up{job="touchline", instance="b"}': "1x40"},
        {f"up{{{HERE}}}": "1 0 1x40"},  # one scrape that failed
    ),
    "TouchlineAway": (
        {f"touchline_ready{{{HERE}}}": "1x5 _x40"},
        {'touchline_ready{job="touchline", instance="b"}': "0x40"},
    ),
    "TouchlineNotReady": (
        {f"touchline_ready{{{HERE}}}": "1x5 0x30", 'touchline_ready{job="touchline", instance="b"}': "1x40"},
        {f"touchline_ready{{{HERE}}}": "1 0 0 1x40"},
    ),
    "TouchlineTrouble": (
        {f'touchline_incident_open{{{HERE}, incident="disk-low"}}': "0x5 1x30"},
        {f'touchline_incident_open{{{HERE}, incident="disk-low"}}': "0x5 1x3 0x30"},
    ),
    "TouchlineFeedDown": (
        {f'touchline_incident_open{{{HERE}, incident="feed-refused"}}': "0x5 1x30"},
        {f'touchline_incident_open{{{HERE}, incident="disk-low"}}': "1x40"},
    ),
    "TouchlineFeedConnectionsMissing": (
        {f"touchline_matches_due{{{HERE}}}": "3x40", f'touchline_connections{{{HERE}, state="live"}}': "2x40"},
        {
            f"touchline_matches_due{{{HERE}}}": "3x40",
            f'touchline_connections{{{HERE}, state="live"}}': "2x40",
            'touchline_connections{job="touchline", instance="b", state="finished"}': "1x40",
        },
    ),
    "TouchlineRoleMissing": (
        {f'touchline_incident_open{{{HERE}, incident="role-missing"}}': "0x5 1x30"},
        {f'touchline_incident_open{{{HERE}, incident="role-missing"}}': "0x40"},
    ),
    "TouchlineNewsLate": (
        {
            f'touchline_news_seconds_bucket{{{HERE}, le="10.0"}}': "0+90x60",
            f'touchline_news_seconds_bucket{{{HERE}, le="30.0"}}': "0+100x60",
            f'touchline_news_seconds_bucket{{{HERE}, le="+Inf"}}': "0+100x60",
        },
        {
            f'touchline_news_seconds_bucket{{{HERE}, le="10.0"}}': "0+99x60",
            f'touchline_news_seconds_bucket{{{HERE}, le="30.0"}}': "0+100x60",
            f'touchline_news_seconds_bucket{{{HERE}, le="+Inf"}}': "0+100x60",
        },
    ),
    "TouchlineNewsBudgetBurns": (
        {
            f'touchline_news_seconds_bucket{{{HERE}, le="10.0"}}': "0+80x90",
            f"touchline_news_seconds_count{{{HERE}}}": "0+100x90",
        },
        {  # an hour of late news that is over
            f'touchline_news_seconds_bucket{{{HERE}, le="10.0"}}': "0+80x15 1300+100x40",
            f"touchline_news_seconds_count{{{HERE}}}": "0+100x60",
        },
    ),
    "TouchlineAllowanceExhausted": (
        {
            f"touchline_outbox_due{{{HERE}}}": "900x60",
            f'touchline_telegram_requests_total{{{HERE}, op="send", answer="429"}}': "0+1x60",
        },
        {
            f"touchline_outbox_due{{{HERE}}}": "900x60",
            f'touchline_telegram_requests_total{{{HERE}, op="send", answer="429"}}': "5x60",
        },
    ),
    "TouchlinePaidMessagesLow": (
        {f"touchline_paid_messages_used{{{HERE}}}": "0+100x60", f"touchline_paid_messages_limit{{{HERE}}}": "4000x60"},
        {
            f"touchline_paid_messages_used{{{HERE}}}": "0+50x60",  # at the look it is less than half of it
            'touchline_paid_messages_used{job="touchline", instance="b"}': "0+50x60",  # the same count, and not another one
            f"touchline_paid_messages_limit{{{HERE}}}": "4000x60",
            'touchline_paid_messages_limit{job="touchline", instance="b"}': "4000x60",
            # Payment was stopped in the course of the day.
            'touchline_paid_messages_used{job="stopped", instance="c"}': "50x60",
            'touchline_paid_messages_limit{job="stopped", instance="c"}': "0x60",
        },
    ),
    "TouchlinePaidMessagesSpent": (
        {f'touchline_incident_open{{{HERE}, incident="paid-messages-spent"}}': "0x5 1x40"},
        {f'touchline_incident_open{{{HERE}, incident="paid-messages-spent"}}': "0x40"},
    ),
    "TouchlineOutboxBehind": (
        {f"touchline_outbox_oldest_due_seconds{{{HERE}}}": "0+60x40"},
        {f"touchline_outbox_oldest_due_seconds{{{HERE}}}": "0x5 130x3 0x40"},
    ),
    "TouchlineTelegramFails": (
        {
            f'touchline_telegram_requests_total{{{HERE}, op="send", answer="ok"}}': "0+80x40",
            f'touchline_telegram_requests_total{{{HERE}, op="send", answer="unreachable"}}': "0+20x40",
        },
        {
            f'touchline_telegram_requests_total{{{HERE}, op="send", answer="ok"}}': "0+95x40",
            f'touchline_telegram_requests_total{{{HERE}, op="send", answer="unreachable"}}': "0+5x40",
        },
    ),
    "TouchlineTextsRefused": (
        {f'touchline_telegram_requests_total{{{HERE}, op="send", answer="refused"}}': "0x20 1x20"},
        {f'touchline_telegram_requests_total{{{HERE}, op="send", answer="refused"}}': "1x40"},
    ),
    "TouchlineUnreadableFrames": (
        {f'touchline_frames_unreadable_total{{{HERE}, kind="not-json"}}': "0+2x40"},
        {f'touchline_frames_unreadable_total{{{HERE}, kind="not-json"}}': "0x20 5x20"},
    ),
    "TouchlineRulesRefused": (
        {f'touchline_incident_open{{{HERE}, incident="rules-refused"}}': "0x5 1x40"},
        {f'touchline_incident_open{{{HERE}, incident="rules-refused"}}': "0x5 1x10 0x40"},
    ),
    "TouchlineDatabaseAway": (
        {f"touchline_database_up{{{HERE}}}": "1x5 0x40"},
        {f"touchline_database_up{{{HERE}}}": "1x40"},
    ),
    "TouchlineDiskLow": (
        {f"touchline_disk_free_bytes{{{HERE}}}": "5e9x5 5e8x40"},
        {f"touchline_disk_free_bytes{{{HERE}}}": "5e9x5 5e8x5 5e9x40"},
    ),
    "TouchlineClockOff": (
        {f"touchline_clock_skew_seconds{{{HERE}}}": "0x5 -9x40"},
        {f"touchline_clock_skew_seconds{{{HERE}}}": "4x40"},
    ),
    "TouchlineFixturesOld": (
        {f"touchline_fixtures_age_seconds{{{HERE}}}": "0+240x40"},
        {f"touchline_fixtures_age_seconds{{{HERE}}}": "1800x40"},
    ),
}

AT = "35m"
"""When it is looked at."""


def _test(name: str, series: dict[str, str], *, fires: bool) -> dict[str, Any]:
    rule = next(rule for rule in ALERTS if rule["alert"] == name)
    # promtool compares labels and annotations word for word: what varies with the series is left to it by asking for the count.
    query = f'count(ALERTS{{alertname="{name}", alertstate="firing"}}) or vector(0)'
    return {
        "name": f"{name} {'fires' if fires else 'is silent'}",
        "interval": "1m",
        "input_series": [{"series": key, "values": values} for key, values in series.items()],
        "promql_expr_test": [
            {"expr": query, "eval_time": AT, "exp_samples": [{"labels": "{}", "value": 1 if fires else 0}]},
            # Nothing fires before its `for` has passed.
            *([{"expr": query, "eval_time": "0m", "exp_samples": [{"labels": "{}", "value": 0}]}] if rule.get("for") else []),
        ],
    }


def test_every_alert_has_a_case_and_a_heading_in_the_runbook() -> None:
    names = [rule["alert"] for rule in ALERTS]

    assert sorted(CASES) == sorted(names)
    for name, rule in zip(names, ALERTS, strict=True):
        assert rule["annotations"]["runbook_url"] == f"docs/operate/alerts.md#{name.lower()}"
        assert f"\n## {name}\n" in RUNBOOK


@pytest.mark.skipif(shutil.which("promtool") is None, reason="there is no promtool: apt-get install prometheus")
@pytest.mark.whole_process
def test_each_alert_fires_when_it_should_and_not_before(tmp_path: Path) -> None:
    files = []
    for name, both in CASES.items():
        # Each rule alone: promtool would evaluate all of them, every minute of every case.
        rules, file = tmp_path / f"{name}.yaml", tmp_path / f"{name}.test.yaml"
        alone = {"name": name, "rules": [rule for rule in ALERTS if rule["alert"] == name]}
        tests = [_test(name, series, fires=at == 0) for at, series in enumerate(both)]
        rules.write_text(yaml.safe_dump({"groups": [alone]}), encoding="utf-8")
        file.write_text(
            yaml.safe_dump({"rule_files": [str(rules)], "evaluation_interval": "1m", "tests": tests}), encoding="utf-8"
        )
        files.append(str(file))

    for command in (["check", "rules", str(RULES)], ["test", "rules", *files]):
        done = subprocess.run(["promtool", *command], capture_output=True, text=True, check=False)

        assert done.returncode == 0, done.stdout + done.stderr
