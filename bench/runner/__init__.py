"""The side-by-side runner behind bench/run. Standard library only."""
