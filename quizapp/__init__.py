"""quizapp: a quiz and training platform for public literacy tests."""

__version__ = "0.1.0"
