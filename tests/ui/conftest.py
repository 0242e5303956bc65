"""The look alone: a built front end and an application that has nothing else."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from quizapp.ui.build import build
from tests.ui.gallery import make_gallery


@pytest.fixture(scope="session", autouse=True)
def built() -> None:
    """A no-op where the front end stands as its sources say."""
    build()


@pytest.fixture
def gallery() -> Flask:
    return make_gallery()


@pytest.fixture
def visitor(gallery: Flask) -> FlaskClient:
    return gallery.test_client()
