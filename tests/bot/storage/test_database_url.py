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
