"""JupyterLab, as ``make lab`` starts it: the right kernel, no request to another host, and notebooks that run."""

from __future__ import annotations

import json
import os
import shutil
import sys
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from jupyter_client.blocking import BlockingKernelClient
from playwright.sync_api import Page, expect

from popforecast.reports.notebooks import find_folder

pytestmark = pytest.mark.browser

NOTEBOOKS = find_folder()
TOKEN = "only-for-this-test"

CODE = """
import sys
import popforecast as pf
panel = pf.load_panel("wpp2019")
print(sys.executable)
pf.forecast(panel, ["World"], 2030, 2035, model="ar1")
"""


@pytest.fixture(scope="module")
def lab(serve, tmp_path_factory: pytest.TempPathFactory):
    """JupyterLab on a copy of the notebooks (it saves by itself), with nothing of the user's own settings."""
    home = tmp_path_factory.mktemp("lab")
    folder = shutil.copytree(NOTEBOOKS, home / "notebooks", ignore=shutil.ignore_patterns("*checkpoints"))
    env = {f"JUPYTER_{name}_DIR": str(home / name) for name in ("CONFIG", "DATA", "RUNTIME")}
    env["JUPYTER_CONFIG_PATH"] = str(folder / ".jupyter")
    command = [
        *(sys.executable, "-m", "jupyterlab", str(folder), "--no-browser", "--port={port}"),
        *(f"--IdentityProvider.token={TOKEN}", *(["--allow-root"] if os.geteuid() == 0 else [])),
    ]
    server = serve(command, path=f"/api?token={TOKEN}", env=env)
    return server, home / "RUNTIME"


def call(url: str, data: dict[str, Any] | None = None) -> Any:
    body = json.dumps(data).encode() if data else None
    request = urllib.request.Request(url, body, {"Authorization": f"token {TOKEN}"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def test_the_notebooks_kernel_is_this_environments_python(lab) -> None:
    server, runtime = lab
    specifications = call(f"{server.url}/api/kernelspecs")
    assert specifications["default"] == "python3"
    asked = {"path": "other.ipynb", "name": "", "type": "notebook", "kernel": {"name": "python3"}}
    session = call(f"{server.url}/api/sessions", asked)
    client = BlockingKernelClient(connection_file=str(runtime / f"kernel-{session['kernel']['id']}.json"))
    client.load_connection_file()
    client.start_channels()
    outputs: list[dict[str, Any]] = []
    try:
        client.wait_for_ready(timeout=30)
        reply = client.execute_interactive(CODE, timeout=60, output_hook=lambda m: outputs.append(m["content"]))
    finally:
        client.stop_channels()
    assert reply["content"]["status"] == "ok", outputs
    assert [o["text"].strip() for o in outputs if "text" in o] == [sys.executable]
    (shown,) = [o["data"]["text/html"] for o in outputs if "data" in o]
    assert "8,745,733,000" in shown


def test_run_all_shows_chart_and_table(lab, page: Page, tmp_path: Path) -> None:
    server, _ = lab
    requested: list[str] = []
    page.on("request", lambda request: requested.append(request.url))
    page.set_default_timeout(60_000)
    page.goto(f"{server.url}/lab/tree/explore.ipynb?token={TOKEN}")
    page.locator(".jp-Notebook .jp-Cell").first.wait_for()
    expect(page.get_by_text("Python 3 (ipykernel) | Idle")).to_be_visible(timeout=60_000)
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    expect(page.locator(".pf-explorer .figures tbody tr").first).to_be_visible(timeout=60_000)
    expect(page.locator(".pf-explorer .js-plotly-plot .main-svg").first).to_be_visible(timeout=30_000)
    page.get_by_label("To", exact=True).fill("2026")
    page.get_by_label("To", exact=True).press("Tab")
    expect(page.locator(".pf-explorer .figures tbody tr")).to_have_count(3)
    hosts = {urlsplit(url).netloc for url in requested if urlsplit(url).scheme in ("http", "https")}
    assert hosts == {urlsplit(server.url).netloc}
    assert page.get_by_text("official Jupyter news").count() == 0
    page.screenshot(path=tmp_path / "lab.png")
