"""How the app is served: security, limits, caching, logs and health checks around every response."""
