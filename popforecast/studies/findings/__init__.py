"""What reports say in words: each sentence is computed from the figures beside it, and holds for any parameters."""
