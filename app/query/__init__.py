"""Reading of HTTP requests: a valid question, or a 4xx error that explains what is wrong."""
