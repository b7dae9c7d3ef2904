"""What an environment must be like, as rules over its recorded graph; the same in tests and in `slipway check`.

`rules` are the rules by subject, `judge` applies them, `waivers` are a team's exceptions.
"""
