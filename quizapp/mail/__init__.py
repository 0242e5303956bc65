"""Mail that waits to be sent: written beside its cause, sent by a job, so that no page waits for a mail server."""
