"""What staff see of handoffs, and the desks where they answer."""
