"""Practice, the daily quiz, the wrong book."""
