"""`slipway diagram`: a picture of an environment, from its recorded graph.

read (graph → picture) → layout and paths (→ places) → draw (→ SVG). Nothing here asks AWS, prints or writes files.
"""
