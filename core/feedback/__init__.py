"""Customer feedback on answers: ratings, implicit signals, surveys, and their statistics."""
