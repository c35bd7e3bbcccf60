"""The committed icons are those that the code draws, and fit where they are shown."""

from __future__ import annotations

import io
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from popforecast import icons

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "app" / "static"


@pytest.fixture(scope="module")
def drawn() -> dict[str, bytes]:
    return icons.draw_icons()


def pixels(content: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGBA"), dtype=int)


def test_every_committed_icon_is_what_the_code_draws(drawn: dict[str, bytes]) -> None:
    assert {path.name for path in FOLDER.iterdir() if path.suffix in (".png", ".ico", ".svg")} == set(drawn)
    assert (FOLDER / "icon.svg").read_bytes() == drawn["icon.svg"]
    for name in drawn.keys() - {"icon.svg"}:
        # Another zlib may pack the same pixels into other bytes.
        assert np.array_equal(pixels((FOLDER / name).read_bytes()), pixels(drawn[name])), name


def test_drawing_again_gives_the_same_bytes(drawn: dict[str, bytes]) -> None:
    assert icons.draw_icons() == drawn


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("icon-192.png", 192),
        ("icon-512.png", 512),
        ("icon-maskable-192.png", 192),
        ("icon-maskable-512.png", 512),
        ("apple-touch-icon.png", 180),
    ],
)
def test_an_icon_has_the_size_of_its_name(drawn: dict[str, bytes], name: str, size: int) -> None:
    assert pixels(drawn[name]).shape == (size, size, 4)


def test_the_favicon_holds_three_sizes(drawn: dict[str, bytes]) -> None:
    with Image.open(io.BytesIO(drawn["favicon.ico"])) as icon:
        assert icon.info["sizes"] == {(16, 16), (32, 32), (48, 48)}


@pytest.mark.parametrize("name", ["icon-maskable-192.png", "icon-maskable-512.png", "apple-touch-icon.png"])
def test_a_launcher_may_cut_a_circle_out_of_a_maskable_icon(drawn: dict[str, bytes], name: str) -> None:
    picture = pixels(drawn[name])
    ground = np.array([*bytes.fromhex(icons.GROUND[1:]), 255])
    rows, columns = np.nonzero((picture != ground).any(axis=2))
    middle = (len(picture) - 1) / 2
    assert len(rows) > 100
    assert np.hypot(rows - middle, columns - middle).max() <= 0.4 * len(picture)


def test_a_plain_icon_has_round_corners_and_an_opaque_middle(drawn: dict[str, bytes]) -> None:
    picture = pixels(drawn["icon-512.png"])
    assert picture[[0, 0, -1, -1], [0, -1, 0, -1], 3].tolist() == [0, 0, 0, 0]
    assert picture[256, 256, 3] == 255


def test_the_ground_is_the_accent_of_the_style_sheet() -> None:
    style = (ROOT / "popforecast" / "theme" / "style.css").read_text()
    assert re.search(r"--accent: (#\w+);", style)[1] == icons.GROUND
