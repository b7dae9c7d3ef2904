"""``python -m slipway.rehearse.simulated aws``: serve one simulated provider, as the engine starts it."""

import sys

from slipway.rehearse.simulated.server import serve

serve(sys.argv[1])
