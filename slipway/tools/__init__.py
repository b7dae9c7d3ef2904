"""The field's own programs: found on PATH, or built once from their Go modules into the user's cache."""
