import datetime as dt

from bot.clock import ManualClock
from bot.installation import find_version
from bot.monitoring.traffic import HourlyTraffic
from tests.packets import KICKOFF


def test_the_traffic_of_the_last_hour_is_counted_and_measured() -> None:
    clock = ManualClock(KICKOFF)
    traffic, version = HourlyTraffic(clock), find_version()
    for number in range(100):
        traffic.add(float(number), is_edit=False)
    clock.move_to(KICKOFF + dt.timedelta(minutes=30))
    traffic.add(900.0, is_edit=True)
    traffic.add(None, is_edit=False)
    begun = traffic.describe()
    clock.move_to(KICKOFF + dt.timedelta(minutes=80))
    later = traffic.describe()
    clock.move_to(KICKOFF + dt.timedelta(hours=26))

    assert begun == f"Touchline {version}, up 30 min: 101 messages and 1 edits since the start, lag 50 ms median, 99 ms p99"
    assert later == (
        f"Touchline {version}, up 1 h 20 min: 1 messages and 1 edits in the last hour, lag 900 ms median, 900 ms p99"
    )
    assert traffic.describe() == f"Touchline {version}, up 1 d 2 h: 0 messages and 0 edits in the last hour"
