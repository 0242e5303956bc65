"""Two years on one scale through the questions that both had."""
