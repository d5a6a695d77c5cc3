"""HTTP code shared by all APIs: errors, rate limits, body sizes and CORS."""
