"""Long runs against the app as a platform runs it: load, faults, fuzz. ``make soak``; ``make test`` runs short ones."""
