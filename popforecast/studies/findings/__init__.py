"""Text of the reports; each sentence is computed from the results and valid for any parameters."""
