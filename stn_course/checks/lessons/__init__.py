"""A folder for each notebook, and in it a file for each exercise; `checks.catalogue` finds them.

No lesson imports another: what several exercises share stands in `checks.engine`.
"""
