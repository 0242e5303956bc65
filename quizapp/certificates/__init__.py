"""Certificates: issued for a run, printed, checked by anybody, revoked."""
