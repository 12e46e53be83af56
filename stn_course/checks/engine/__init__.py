"""What runs an attempt, compares, explains and formats; it knows no exercise and no notebook."""
