"""HTTP concerns that every surface shares: errors, rate limits and body sizes, CORS."""
