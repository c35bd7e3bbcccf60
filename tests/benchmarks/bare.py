"""The least that Flask can answer: what the web app is measured beside."""

from __future__ import annotations

from flask import Flask

app = Flask(__name__)


@app.get("/healthz")
def greet() -> str:
    """Answer a few bytes."""
    return "hello"
