"""The public API: its resources, what they answer, and the document that describes them."""
