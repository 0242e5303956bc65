"""Commands on files alone: item analysis, literacy estimates, papers from a pool. No database, no setting, no instance folder."""
