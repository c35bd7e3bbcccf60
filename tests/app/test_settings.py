"""The environment alone configures the app: every variable is checked, and documented."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from app.settings import COMMITS, Settings, SettingsError

ROOT = Path(__file__).parents[2]

# Where the environment may be read.
READERS = {"settings.py"}


class Recorder(dict[str, str]):
    """An empty environment that remembers what it was asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: set[str] = set()

    def get(self, name: str, default: str = "") -> str:  # type: ignore[override]
        self.asked.add(name)
        return default


def find_readers() -> set[str]:
    """Return the names of the modules in app/ that read the environment."""
    return {
        path.name
        for path in (ROOT / "app").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv") and ast.unparse(node.value) == "os"
    }


def test_without_any_variable_it_listens_on_this_machine_only() -> None:
    assert Settings.from_environ({}) == Settings("127.0.0.1", 8000, 2, 0, True, 1200, True, None)


def test_a_port_means_a_platform_and_a_dyno_means_one_proxy() -> None:
    settings = Settings.from_environ({"PORT": "5000", "DYNO": "web.1"})
    assert (settings.host, settings.port, settings.proxies) == ("0.0.0.0", 5000, 1)
    assert Settings.from_environ({"DYNO": "web.1", "POPFORECAST_PROXIES": "0"}).proxies == 0


def test_every_field_can_be_set() -> None:
    environ = {
        "POPFORECAST_HOST": "::1",
        "PORT": "81",
        "WEB_CONCURRENCY": "3",
        "POPFORECAST_PROXIES": "2",
        "RATELIMIT_ENABLED": "0",
        "POPFORECAST_RATE": "7",
        "POPFORECAST_ACCESS_LOG": "off",
        "HEROKU_SLUG_COMMIT": "0123abc",
    }
    settings = Settings.from_environ(environ)
    assert settings == Settings("::1", 81, 3, 2, False, 7, False, "0123abc")
    assert not [field.name for field in fields(Settings) if getattr(settings, field.name) == field.default]


@pytest.mark.parametrize("name", ["POPFORECAST_HOST", "PORT", "RATELIMIT_ENABLED", *COMMITS])
def test_an_empty_variable_is_one_that_is_not_set(name: str) -> None:
    assert Settings.from_environ({name: " "}) == Settings()


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("PORT", "http", "from 0 to 65535"),
        ("PORT", "65536", "from 0 to 65535"),
        ("PORT", "-1", "from 0 to 65535"),
        ("PORT", "٣٠٠٠", "from 0 to 65535"),
        ("WEB_CONCURRENCY", "0", "from 1 to 64"),
        ("WEB_CONCURRENCY", "", "from 1 to 64"),
        ("WEB_CONCURRENCY", "2.5", "from 1 to 64"),
        ("WEB_CONCURRENCY", "9" * 5000, "from 1 to 64"),
        ("POPFORECAST_PROXIES", "true", "from 0 to 5"),
        ("RATELIMIT_ENABLED", "2", "1 or 0"),
        ("POPFORECAST_RATE", "0", "from 1"),
        ("POPFORECAST_RATE", "10/minute", "whole number"),
        ("POPFORECAST_ACCESS_LOG", "json", "1 or 0"),
        ("POPFORECAST_HOST", "a b", "an address"),
        ("SOURCE_VERSION", "<script>", "a commit"),
    ],
)
def test_a_bad_value_is_refused_by_name_with_what_would_be_valid(name: str, value: str, expected: str) -> None:
    with pytest.raises(SettingsError) as refused:
        Settings.from_environ({name: value})
    assert str(refused.value).startswith(name)
    assert expected in str(refused.value)


@pytest.mark.parametrize(("name", "value"), [("PORT", "http"), ("POPFORECAST_RATE", "many")])
def test_gunicorn_refuses_to_start_with_one_sentence(name: str, value: str) -> None:
    command = [sys.executable, "-m", "gunicorn", "--config", "app/gunicorn.conf.py", "app:create_app()"]
    environ = {**os.environ, name: value}
    ended = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=60)
    assert ended.returncode != 0
    (sentence,) = ended.stderr.splitlines()
    assert sentence.startswith(f"popforecast does not start: {name} ")
    assert "expected" in sentence


def test_every_variable_that_the_app_reads_is_documented() -> None:
    environ = Recorder()
    Settings.from_environ(environ)
    page = (ROOT / "docs" / "operation.md").read_text()
    assert set(re.findall(r"^\| `([A-Z0-9_]+)` \|", page, re.M)) == environ.asked
    assert find_readers() == READERS


def test_the_manifest_of_the_platform_names_only_documented_variables() -> None:
    page = (ROOT / "docs" / "operation.md").read_text()
    for name, entry in json.loads((ROOT / "app.json").read_text())["env"].items():
        assert f"| `{name}` |" in page
        assert entry["required"] is False
        assert Settings.from_environ({name: entry["value"]}) == Settings()
