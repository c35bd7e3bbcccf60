"""What the server sends of Jupyter's scripts and styles."""

from __future__ import annotations

import gzip
from pathlib import Path

from popforecast.explorer.assets import HINT, LEAST, find_asset


def test_a_script_is_sent_with_a_hint_before_it_and_nothing_else_changed(tmp_path: Path) -> None:
    texts = {"long.js": b"f();" * LEAST, "short.js": b"f();", "long.css": b"p {}\n" * LEAST}
    for name, text in texts.items():
        (tmp_path / name).write_bytes(text)
    sent = {name: find_asset([str(tmp_path)], name) for name in texts}
    assert {name: asset.content for name, asset in sent.items() if asset} == texts | {
        "long.js": HINT + texts["long.js"]
    }
    assert HINT.startswith(b"//")
    assert HINT.count(b"\n") == 1
    for asset in sent.values():
        assert asset is not None
        assert asset.compressed is None or gzip.decompress(asset.compressed) == asset.content


def test_a_file_that_changed_is_read_again_under_another_tag(tmp_path: Path) -> None:
    path = tmp_path / "one.css"
    tags = []
    for text in ("p {}", "a {}"):
        path.write_text(text)
        asset = find_asset([str(tmp_path)], "one.css")
        assert asset is not None
        assert asset.content == text.encode()
        tags.append(asset.tag)
    assert tags[0] != tags[1]
