"""Entry for any WSGI server: `wsgi:app`."""

from quizapp.app import create_app
from quizapp.config import read_settings
from quizapp.operations.installation import open_installation

settings = read_settings()
open_installation(settings).database.dispose()  # refuses a demo's database for a real installation, and the other way
app = create_app(settings)
