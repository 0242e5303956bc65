"""What happens to results afterwards: more time, a corrected key, an attempt made void by two persons, and the new scores."""
