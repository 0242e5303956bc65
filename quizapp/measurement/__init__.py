"""Pure mathematics: no database, no web, no clock. The standard library and NumPy; SciPy only inside the functions that need it."""
