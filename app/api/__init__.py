"""The public API: resources, responses and the OpenAPI document."""
