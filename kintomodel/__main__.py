"""python -m kintomodel"""

import sys

from .serve import main

sys.exit(main())
