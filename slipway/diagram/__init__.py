"""A picture of an environment, from its recorded graph: `model` says what is in it, `svg` draws it."""
