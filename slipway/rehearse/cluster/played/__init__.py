"""What AWS, other vendors and the internet would bring. Each file says what it plays and what it does not."""
