"""The experts' app on a furnished review store, in a temporary folder without any vault."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine

from models.base import open_store
from models.migration import migrate
from tests.webapp.review_round import ReviewRound, furnish_review
from webapp.review.app import COOKIE, create_review
from webapp.settings import ReviewSettings


def settings_in(folder: Path) -> ReviewSettings:
    return ReviewSettings(
        database=f"sqlite:///{folder / 'review' / 'review.db'}",
        blind=folder / "blind",
        folder=folder / "review",
        host="127.0.0.1",
        port=0,
        secure_cookies=False,
    )


@pytest.fixture(scope="session")
def furnished_review(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ReviewRound]:
    """Made once for all tests, because hashing PINs takes a while."""
    folder = tmp_path_factory.mktemp("review")
    settings = settings_in(folder)
    settings.folder.mkdir()
    store = open_store(settings.database)
    migrate(store, "review")
    made = furnish_review(store, settings)
    store.dispose()
    return folder, made


@pytest.fixture
def review_settings(furnished_review: tuple[Path, ReviewRound], tmp_path: Path) -> ReviewSettings:
    """A copy for one test."""
    folder = tmp_path / "installation"
    shutil.copytree(furnished_review[0], folder)
    return settings_in(folder)


@pytest.fixture
def made(furnished_review: tuple[Path, ReviewRound]) -> ReviewRound:
    return dataclasses.replace(furnished_review[1])


@pytest.fixture
def store(review_settings: ReviewSettings) -> Engine:
    return open_store(review_settings.database)


@pytest.fixture
def review_app(review_settings: ReviewSettings) -> Flask:
    return create_review(review_settings)


@pytest.fixture
def tablet(review_app: Flask, made: ReviewRound) -> Callable[[str], FlaskClient]:
    """A client that is signed in as a seat."""

    def tablet(seat: str) -> FlaskClient:
        client = review_app.test_client()
        client.set_cookie(COOKIE, made.tokens[seat])
        return client

    return tablet
