"""The icons fit where they are shown. How they are made from icon.svg stands in CONTRIBUTING.md."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "app" / "static"
GROUND = re.search(r'<rect [^>]*fill="(#\w+)"', (FOLDER / "icon.svg").read_text())[1]


def pixels(name: str) -> np.ndarray:
    with Image.open(FOLDER / name) as picture:
        return np.asarray(picture.convert("RGBA"), dtype=int)


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
def test_an_icon_has_the_size_of_its_name(name: str, size: int) -> None:
    assert pixels(name).shape == (size, size, 4)


def test_the_favicon_holds_three_sizes() -> None:
    with Image.open(FOLDER / "favicon.ico") as icon:
        assert icon.info["sizes"] == {(16, 16), (32, 32), (48, 48)}


@pytest.mark.parametrize("name", ["icon-maskable-192.png", "icon-maskable-512.png", "apple-touch-icon.png"])
def test_a_launcher_may_cut_a_circle_out_of_a_maskable_icon(name: str) -> None:
    picture = pixels(name)
    ground = np.array([*bytes.fromhex(GROUND[1:]), 255])
    rows, columns = np.nonzero((picture != ground).any(axis=2))
    middle = (len(picture) - 1) / 2
    assert len(rows) > 100
    assert np.hypot(rows - middle, columns - middle).max() <= 0.4 * len(picture)


def test_a_plain_icon_has_round_corners_and_an_opaque_middle() -> None:
    picture = pixels("icon-512.png")
    assert picture[[0, 0, -1, -1], [0, -1, 0, -1], 3].tolist() == [0, 0, 0, 0]
    assert picture[256, 256, 3] == 255


def test_the_ground_is_the_accent_of_the_style_sheet() -> None:
    style = (ROOT / "popforecast" / "theme" / "style.css").read_text()
    assert re.search(r"--accent: (#\w+);", style)[1] == GROUND
