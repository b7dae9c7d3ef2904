"""The images of an environment, and what mirrors them."""
