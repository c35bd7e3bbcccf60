"""From an HTTP request to a question: names, places, years and levels, or a 4xx that says what is wrong."""
