"""Entry for any WSGI server: `wsgi:app`."""

from quizapp.app import create_app

app = create_app()
