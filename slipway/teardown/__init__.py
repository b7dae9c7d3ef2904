"""The end of an environment, in steps that can each be done again."""
