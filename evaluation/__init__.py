"""Evaluation, training and tuning of the bot, and the adoption of Rasa projects."""
