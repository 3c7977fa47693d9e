"""What is not code: clinical rules, styles, texts, value sets."""
