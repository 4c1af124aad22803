"""One bad letter costs its field at most: never the packet, the list of fixtures, or the match."""

from __future__ import annotations

import datetime as dt
import json

import pytest

from bot.errors import FrameUnreadable
from bot.feed.decode import decode_frame
from bot.feed.decode_fixtures import decode_fixtures
from bot.feed.lenient import MAX_NAME_LENGTH, clean_name, parse_json
from rules.football.action import Packet

RECEIVED = dt.datetime(2026, 8, 15, 14, 0, tzinfo=dt.UTC)

PACKET = (
    b'{"fixtureAction":{"actionId":"a1","fixtureId":"f1","sendType":"Confirmed","fixtureActionType":"Goal","period":2,'
    b'"fixtureSeqNum":7,"clockTime":"61:00","timestamp":"2026-08-15T14:00:00Z","team":{"id":"t","name":"Ajax","homeTeam":true},'
    b'"player":{"id":"p","name":"%s"}},"fixtureSummary":{"homeTeamScore":1,"awayTeamScore":0}}'
)

FIXTURES = (
    b'[{"id":"f1","name":"K\xc3\xb6ln v Ajax","teams":[{"id":"k","name":"%s"},{"id":"a","name":"Ajax"}]},'
    b'{"id":"f2","name":"Rot v Wei\xc3\x9f"}]'
)

BAD_LETTERS = {
    b"K\\ud83dln": "K\ufffdln",
    b"K\\ude00": "K\ufffd",
    b"\\ud83d\\ude00 K": "😀 K",
    b"K\xffln": "K\ufffdln",
    b"K\xed\xa0\xbdln": "K\ufffd\ufffd\ufffdln",
    b"K\\xln": "Kxln",
    b"K\nln": "K ln",
    b"K\\n\\r\\tln": "K ln",
    b"K\\u0000ln": "Kln",
    b"K\x01l\\u009fn": "Kln",
    b"\\u202eK\\u2066ln\\u2069": "Kln",
    b"K\\ufeffln\\u2028": "Kln",
    b"K\\\\ud83dln": "K\\ud83dln",
    b"\xd8\xb9\xd9\x84\xdb\x8c\xe2\x80\x8c": "علی\u200c",
}


def decode(frame: bytes) -> Packet:
    read = decode_frame(frame, RECEIVED, "f1")
    assert isinstance(read, Packet)
    return read


@pytest.mark.parametrize(("written", "name"), BAD_LETTERS.items())
def test_a_bad_letter_in_the_name_of_a_player_costs_the_letter(written: bytes, name: str) -> None:
    read = decode(PACKET % written)

    assert read.player and (read.player.id, read.player.name) == ("p", name)
    assert (read.type, read.seq, read.summary.home, read.team and read.team.name) == ("Goal", 7, 1, "Ajax")


@pytest.mark.parametrize("written", BAD_LETTERS)
def test_a_bad_letter_in_one_name_costs_neither_the_list_nor_the_fixture(written: bytes) -> None:
    found = decode_fixtures(FIXTURES % written).fixtures

    assert [fixture.id for fixture in found] == ["f1", "f2"]
    assert found[0].away.name == "Ajax" and found[0].home.id == "k"


@pytest.mark.parametrize("mark", [b"\xef\xbb\xbf", "\ufeff".encode()])
def test_a_mark_of_byte_order_is_no_letter(mark: bytes) -> None:
    assert decode(mark + PACKET % b"Kane").type == "Goal"
    assert len(decode_fixtures(mark + FIXTURES % b"K").fixtures) == 2


@pytest.mark.parametrize("value", ["NaN", "-Infinity", "1e999", "9" * 5000, "1" + "0" * 40])
def test_a_number_that_is_none_costs_its_field(value: str) -> None:
    read = decode((PACKET % b"Kane").replace(b'"fixtureSeqNum":7', b'"fixtureSeqNum":%s' % value.encode()))

    assert (read.seq, read.type, read.period_id) == (None, "Goal", 2)


@pytest.mark.parametrize("frame", [b"", b"{", b"[1,", b"<html>", b"\xff\xfe{", b"[" * 100_000, b'{"a":1,}'])
def test_what_is_no_json_is_still_none(frame: bytes) -> None:
    with pytest.raises(FrameUnreadable, match="not-json"):
        decode_frame(frame, RECEIVED, "f1")


@pytest.mark.parametrize("letters", [3_000, 2_000_000])
def test_a_long_name_is_cut_everywhere(letters: int) -> None:
    name = b"K" * letters
    packet = decode((PACKET % name).replace(b"Ajax", name).replace(b'"Goal"', b'"%s"' % name))
    (fixture, _) = decode_fixtures((FIXTURES % name).replace(b"K\xc3\xb6ln", name)).fixtures
    names = [packet.player and packet.player.name, packet.team and packet.team.name, packet.type, fixture.home.name]

    assert {len(text or "") for text in names} == {MAX_NAME_LENGTH}
    assert all((text or "").endswith("K…") for text in names)
    assert len(fixture.name) < 200


def test_a_name_of_the_usual_length_stays_as_it_is() -> None:
    longest = "Nooit opgeven altijd doorzetten, Aangenaam door vermaak en nuttig"

    assert clean_name(longest) is longest
    assert decode(PACKET % longest.encode()).player


def test_texts_of_the_metadata_are_cleaned_too() -> None:
    metadata = b'"metadata":{"collectionStatusReason":"no\\u202e\\nsignal","list":["a\\u0007b",{"deep":"' + b"x" * 999 + b'"}]},'
    read = decode((PACKET % b"Kane").replace(b'"player"', metadata + b'"player"'))

    assert read.metadata["collectionStatusReason"] == "no signal"
    assert read.metadata["list"][0] == "ab" and len(read.metadata["list"][1]["deep"]) == 300


def test_good_json_is_read_as_every_reader_reads_it() -> None:
    written = json.dumps({"a": [1, "x", None, True, {"b": "ä😀"}], "c": 10**20})

    assert parse_json(written) == json.loads(written) == parse_json(written.encode())
