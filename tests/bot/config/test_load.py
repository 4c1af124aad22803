import datetime as dt
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import example, given

from bot.commands.check import check_config
from bot.config.load import Config, load_config, load_rules_of
from bot.errors import ConfigInvalid, StorageUnusable, UserMistake
from bot.storage.sqlite import refuse_folder
from bot.subscribers import Scope, Subscription, SubscriptionOverrides
from rules.loading.loader import load_pack
from tests.laws import try_examples
from tests.mutated_text import mutated

ROOT = Path(__file__).parents[3]
BAD = ROOT / "tests" / "bad"
Load = Callable[..., Config]

EXAMPLE = (ROOT / "config.example.yaml").read_text(encoding="utf-8")


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Reads a text as config.yaml, with an environment."""

    def loaded(text: str, **env: str) -> Config:
        (tmp_path / "config.yaml").write_text(text, encoding="utf-8")
        return load_config(tmp_path / "config.yaml", env)

    return loaded


@pytest.mark.parametrize("file", sorted(BAD.glob("*.yaml")), ids=lambda file: file.stem)
def test_a_mistake_gets_its_sentence(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(BAD)
    sentences = file.with_suffix(".txt").read_text(encoding="utf-8").splitlines()

    lines, code = check_config(Path(file.name), {})

    assert lines[:-1] == sentences
    # What is indented is the line of the file, below its mistake.
    headlines = [line for line in sentences if not line.startswith(" ")]
    assert code == any(": warning: " not in line and ": note: " not in line for line in headlines)


def test_five_mistakes_are_five_located_sentences(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(BAD)

    lines, code = check_config(Path("five-mistakes.yaml"), {})

    assert (len([line for line in lines if re.match(r"five-mistakes\.yaml:\d+:\d+: ", line)]), code) == (5, 1)
    assert lines[-1] == "five-mistakes.yaml: 5 mistakes"


def test_the_example_passes_on_a_fresh_machine() -> None:
    lines, code = check_config(ROOT / "config.example.yaml", {})

    assert code == 0
    assert [re.findall(r"[A-Z_]{5,}", line)[0] for line in lines[:2]] == ["FEED_TOKEN", "TELEGRAM_BOT_TOKEN"]
    assert lines[2].endswith("send_type: Confirmed waits: late goals, hat-tricks")
    assert not any(": warning: it " in line for line in lines)


def test_the_example_shows_what_holds_where_it_is_left_out(load: Load, tmp_path: Path) -> None:
    shown, left_out = load(EXAMPLE), load("")

    for section in ("feed", "telegram", "schedule", "storage", "http", "chats"):
        assert getattr(shown, section) == getattr(left_out, section)


def test_an_empty_file_is_the_default_pack(load: Load) -> None:
    config = load("# nothing yet\n")

    assert (config.rules, config.storage.keep, config.feed.stale_after) == (
        load_pack(),
        dt.timedelta(days=14),
        dt.timedelta(seconds=25),
    )


def test_variables_come_from_the_environment(load: Load) -> None:
    config = load(
        "feed: {token: '${T}'}\ntelegram:\n  messages_per_second: ${SPEED:-20}\n  allow_paid_broadcast: ${PAID}\n",
        T="abc",
        PAID="true",
    )

    assert config.feed.token.get_secret_value() == "abc"
    assert (config.telegram.messages_per_second, config.telegram.allow_paid_broadcast) == (20, True)


def test_a_variable_that_is_not_text_is_a_mistake_at_its_place(load: Load) -> None:
    with pytest.raises(ConfigInvalid, match=r"config\.yaml:2:16: the environment variable PAUSE is not text in UTF-8$"):
        load("feed:\n  stale_after: ${PAUSE}", PAUSE="\udcff5s")


def test_a_token_may_be_in_a_file_beside(load: Load, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("123:abc\n")

    config = load("telegram: {token_file: token}\nfeed: {token: xyz}")

    assert config.telegram.token.get_secret_value() == "123:abc"
    assert config.require_tokens() is None


def test_a_missing_token_is_reported_where_it_belongs(load: Load) -> None:
    with pytest.raises(UserMistake, match=r"config.yaml: the telegram token is missing: .* `telegram:`.* TELEGRAM_BOT_TOKEN"):
        load("feed: {token: abc}").require_tokens()


def test_no_secret_is_shown(load: Load) -> None:
    config = load("feed: {token: hush-hush}\nstorage: {url: 'postgresql://me:hush-hush@db/x'}")

    assert "hush-hush" not in repr(config.feed)
    with pytest.raises(ConfigInvalid) as refused:
        load("feed: {token: [hush-hush]}\nstorage: {url: 'mysql://me:${P}@db/x'}", P="hush-hush")
    assert "hush-hush" not in str(refused.value)


@pytest.mark.parametrize(
    ("text", "secrets"),
    [
        ("storage: {url: 'postgresql://me:hush-hush@db/x'}", ["hush-hush"]),
        (
            "storage: {url: 'postgresql://db/x?user=me&password=hush-hush&sslpassword=keep&sslmode=require'}",
            ["hush-hush", "keep"],
        ),
        ("storage: {url: 'postgresql://me:hush%40hush@db/x'}", ["hush%40hush", "hush@hush"]),
        ("telegram: {proxy: 'http://me:hush%21@proxy:1'}", ["hush%21", "hush!"]),
        ("telegram: {proxy: 'http://me:hush@loud@proxy:1'}", ["hush", "hush@loud"]),
        (
            "telegram: {webhook: {url: 'https://me:hush@bot.example/path', listen: '127.0.0.1:1', secret_token: proof}}",
            ["proof", "https://me:hush@bot.example/path", "hush"],
        ),
    ],
)
def test_passwords_in_addresses_are_secrets(load: Load, text: str, secrets: list[str]) -> None:
    assert [secret for secret in load(text).secrets if secret] == secrets


@pytest.mark.parametrize(
    ("written", "followed"),
    [
        ("all", Subscription(Scope.ALL)),
        ("{team: Arsenal}", Subscription(Scope.TEAM, "~arsenal", "Arsenal")),
        ("{team: 42}", Subscription(Scope.TEAM, "42", "42")),
        ("{competition: La  Liga}", Subscription(Scope.COMPETITION, "~la liga", "La Liga")),
        (
            "{competition: Premier League (England)}",
            Subscription(Scope.COMPETITION, "~premier league (england)", "Premier League (England)"),
        ),
        ("{competition: {id: c17}}", Subscription(Scope.COMPETITION, "c17", "c17")),
        ("{match: Arsenal v Chelsea}", Subscription(Scope.MATCH, "~arsenal v chelsea", "Arsenal v Chelsea")),
        ("{match: f-1}", Subscription(Scope.MATCH, "f-1", "f-1")),
        (
            "{team: 42, kinds: [goal, var]}",
            Subscription(Scope.TEAM, "42", "42", SubscriptionOverrides(frozenset({"goal", "var"}))),
        ),
    ],
)
def test_a_fixed_chat_follows_by_name_or_id(load: Load, written: str, followed: Subscription) -> None:
    (chat,) = load(f"chats: [{{chat: -100123, topic: 7, subscribe: [{written}], kinds: [goal]}}]").chats

    assert (chat.chat, chat.topic, chat.subscribe, chat.kinds) == (-100123, 7, (followed,), ("goal",))


@pytest.mark.parametrize(
    ("written", "followed"),
    [("all", Subscription(Scope.ALL)), ("{team: Arsenal}", Subscription(Scope.TEAM, "~arsenal", "Arsenal"))],
)
def test_one_subscription_needs_no_list(load: Load, written: str, followed: Subscription) -> None:
    assert load(f"chats: [{{chat: 1, subscribe: {written}}}]").chats[0].subscribe == (followed,)


def test_a_chat_without_kinds_takes_all(load: Load) -> None:
    assert load("chats: [{chat: 1, subscribe: [all]}]").chats[0].kinds is None


def test_an_address_may_be_one_or_a_list(load: Load) -> None:
    feed = load("feed:\n  stream_url: ws://127.0.0.1:8000/\n  api_url: [http://a, 'http://b:81']\n").feed

    assert (feed.stream_url, feed.api_url) == (("ws://127.0.0.1:8000",), ("http://a", "http://b:81"))


def test_nothing_listens_where_it_says_null(load: Load) -> None:
    assert load("http: {listen: null}").http.listen is None


def test_rules_may_be_spread_over_files(load: Load, tmp_path: Path) -> None:
    (tmp_path / "rules.d").mkdir()
    for name in ("b", "a"):
        text = f"- {{name: {name}, match: {{side: home}}, continue: true, alert: {{kind: goal, text: '${{T}}'}}}}"
        (tmp_path / "rules.d" / f"{name}.yaml").write_text(text)

    rules = load("include: rules.d/*.yaml", T="hello").rules.rules

    assert [(rule.name, rule.alert.text.source) for rule in rules] == [("a", "hello"), ("b", "hello")]


def test_a_catalogue_of_ones_own_is_known_to_the_rules(load: Load, tmp_path: Path) -> None:
    (tmp_path / "names.yaml").write_text("action_types: [{name: Golazo, is: [Goal, Golazo]}]")

    config = load("catalogue: names.yaml\nrules: [{name: g, match: {action_type: Golazo}, alert: {kind: goal, text: x}}]")

    assert (config.catalogue.resolve_names("golazo"), config.warnings) == (("Goal", "Golazo"), ())


def test_a_file_that_is_not_there_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (line,), code = check_config(tmp_path / "config.yaml", {})

    assert code == 1
    assert line.startswith(f"{tmp_path}/config.yaml: there is no such file; copy {ROOT}/config.example.yaml to this place")


def test_a_file_that_is_no_text_is_refused_at_the_byte(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_bytes(b"feed:\n  token: \xff\n")

    with pytest.raises(ConfigInvalid, match=r"config.yaml:2:10: this is not text in UTF-8$"):
        load_config(tmp_path / "config.yaml", {})


def test_rules_without_a_file_are_the_shipped_ones(tmp_path: Path) -> None:
    assert load_rules_of(tmp_path / "config.yaml", {}, optional=True)[0] is load_pack()
    with pytest.raises(UserMistake):
        load_rules_of(tmp_path / "config.yaml", {})


@pytest.mark.slow
@try_examples(300)
@given(text=mutated(EXAMPLE))
@example(text=EXAMPLE.replace("minute: {from: 85}", "minute: {from: {}}"))
@example(text="feed: {1: 2}\n[x]: y")
@example(text="? {a: b}\n: c")
@example(text="chats: {a: b}\ninclude: ..\nextends: [[x]]\ncatalogue: .\ntexts: {? [a] : b}")
@example(text="include: ['**/x', '/', '', '\\0', '~']")
def test_a_mutated_file_is_refused_at_places_or_read(text: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.getbasetemp() / "mutated.yaml"
    path.write_text(text, encoding="utf-8", errors="ignore", newline="")

    try:
        load_config(path, {})
    except ConfigInvalid as error:
        assert error.mistakes
        assert all(re.match(rf"{re.escape(str(path))}:\d+:\d+: .", line) for line in error.mistakes)


def test_the_address_of_the_dead_mans_switch_is_a_secret(load: Load) -> None:
    http = load("http: {dead_man_url: 'https://alarm.example/uuid', dead_man_every: 30s}").http

    assert http.dead_man_url and http.dead_man_url.get_secret_value() == "https://alarm.example/uuid"
    assert "uuid" not in repr(http)
    assert load("http: {dead_man_url: '${NOT_SET:-}'}").http.dead_man_url is None


def test_a_database_that_is_a_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(StorageUnusable, match=r"is a folder; name a file in it$"):
        refuse_folder(tmp_path)
    refuse_folder(tmp_path / "touchline.db")


def test_a_privacy_page_is_an_address_that_people_can_open(load: Load) -> None:
    assert load("telegram: {privacy_url: 'https://example.org/privacy'}").telegram.privacy_url == "https://example.org/privacy"
    assert load("telegram: {privacy_url: '${NOT_SET:-}'}").telegram.privacy_url is None
    assert load("{}").telegram.privacy_url is None


def test_chats_that_are_gone_are_kept_for_half_a_year_unless_told_otherwise(load: Load) -> None:
    assert load("{}").storage.keep_suspended == dt.timedelta(days=180)
    assert load("storage: {keep_suspended: 30d}").storage.keep_suspended == dt.timedelta(days=30)
