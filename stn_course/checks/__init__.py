"""Exercises that answer: checks, quizzes, and what has been solved."""
