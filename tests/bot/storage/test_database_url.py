import pytest

from bot.storage.database import parse_database_url


@pytest.mark.parametrize(
    ("url", "hosts", "ports"),
    [
        ("postgresql://h1:5433,h2:5434/db", "h1,h2", "5433,5434"),
        ("postgres://you:se%40cret@h1,h2:5433/db?sslmode=require", "h1,h2", "5432,5433"),
        ("postgresql://you@[::1]:5433,[::2]/db", "[::1],[::2]", "5433,5432"),
    ],
)
def test_several_hosts_are_read_one_by_one_and_stay_so_when_written_again(url: str, hosts: str, ports: str) -> None:
    parts = parse_database_url(url)

    assert (parts.query["host"], parts.query["port"], parts.database) == (hosts, ports, "db")
    assert parse_database_url(parts.render_as_string(hide_password=False)) == parts


def test_a_comma_in_a_password_makes_no_second_host() -> None:
    parts = parse_database_url("postgresql://you:a,b@h/db")

    assert (parts.password, parts.host, dict(parts.query)) == ("a,b", "h", {})


def test_an_at_in_a_password_is_refused_with_what_to_write_and_without_the_password() -> None:
    with pytest.raises(ValueError, match="a @ in a password is written %40") as refused:
        parse_database_url("postgresql://you:p@hunter2@host/db")

    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize("password", ["p/ss", "p#ss", "p?ss", "p:ss", "p%ss", "p&s s"])
def test_any_other_sign_of_a_password_is_taken_as_it_stands(password: str) -> None:
    parts = parse_database_url(f"postgresql://you:{password}@host/db")

    assert (parts.password, parts.host, parts.database) == (password, "host", "db")
    assert parse_database_url(parts.render_as_string(hide_password=False)) == parts


@pytest.mark.parametrize(
    ("rest", "sentence"),
    [
        ("h/db?channel_binding=require", "the option channel_binding of the address is not known here; leave it out"),
        ("h/db?sslmode=require&connect_timeout=10", "the option connect_timeout of the address is not known here"),
        ("h1,h2/db?pgbouncer=true", "the option pgbouncer of the address is not known here"),
        ("h/db?sslmode=yes", "sslmode is one of disable, allow, prefer, require, verify-ca, verify-full"),
        ("h1,h2/db?target_session_attrs=rw", "target_session_attrs is one of any, primary, read-write, prefer-standby"),
        ("h1,h2/db?target_session_attrs=read-only", "target_session_attrs is one of"),
        ("h:99999/db", "a port of the address is no number from 1 to 65535"),
        ("h1:5432,h2:70000/db", "a port of the address is no number from 1 to 65535"),
        ("/db?host=h1,h2&port=5432,x", "a port of the address is no number from 1 to 65535"),
    ],
)
def test_what_the_driver_cannot_use_is_refused_in_a_sentence_without_the_password(rest: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence) as refused:
        parse_database_url(f"postgresql://you:hunter2@{rest}")

    assert "hunter2" not in str(refused.value)


def test_settings_of_the_server_and_options_that_the_driver_knows_are_taken() -> None:
    query = "application_name=x&sslmode=verify-full&sslrootcert=/x.pem&target_session_attrs=primary&options=-c%20work_mem%3D8MB"

    assert set(parse_database_url(f"postgresql://you@h/db?{query}").query) == {part.split("=")[0] for part in query.split("&")}
