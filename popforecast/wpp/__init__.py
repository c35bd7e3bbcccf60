"""The UN's editions: their tables, what belongs to what, interim updates, and how they are prepared and fetched."""
