"""What customers make of answers: thumbs, signals that nobody had to ask for, surveys, and the figures of them."""
