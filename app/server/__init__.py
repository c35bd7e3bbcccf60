"""How the app is served: what stands before and around every answer."""
