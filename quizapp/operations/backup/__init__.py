"""One file with everything but the keys, made while people answer, and its way back.

archive.py     the file: a zip whose last member, `manifest.json`, says what is in it and what must come out again
embedded.py    SQLite: a compact copy of one instant, checked
server.py      PostgreSQL: every table as of one instant, by COPY through the driver, whatever the server's version
making.py      `quizapp backup`
restoring.py   `quizapp restore`: into an empty place only

A backup holds names and answers in the clear and telephone numbers as they are stored, encrypted. The keys are never in it; their
fingerprints are, so that a restore can say whether the right ones stand there.
"""
