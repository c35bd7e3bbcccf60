"""UN editions: embedded tables, members of aggregates, interim updates, preparation and download."""
