"""The pages people see, and what they load."""
