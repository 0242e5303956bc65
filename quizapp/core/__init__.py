"""What every feature stands on. Nothing here knows Flask but `web.py`."""
