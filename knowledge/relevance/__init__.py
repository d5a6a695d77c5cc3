"""Estimates the probability that an entry answers a question: reader, matcher, ranker and their thresholds."""
