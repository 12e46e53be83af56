"""`python -m stn_course.marking`: the same as `stn-course check`."""

import sys

from stn_course.marking.command import main

if __name__ == "__main__":
    sys.exit(main())
