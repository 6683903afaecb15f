"""Bring a collection to the domains of a text file: python examples/ingest.py domains.txt"""

import os
import sys
from pathlib import Path

from kintomodel import KintoError, Model, connect


class Domain(Model, bucket="blocklists", collection="domains"):
    domain: str


try:
    kinto, is_dry = connect(), bool(os.environ.get("DRY_RUN"))  # KINTO_SERVER, KINTO_AUTH
    if not is_dry:
        kinto.create_bucket("blocklists", if_not_exists=True).create_collection("domains", if_not_exists=True)
    file = Path(sys.argv[1]) if sys.argv[1:] else Path(__file__).with_name("domains.txt")
    wanted = [{"id": domain.replace(".", "-"), "domain": domain} for domain in file.read_text().split()]
    plan = Domain.objects.sync(wanted, delete=True)
    print(f"{kinto.url}: {plan}")
    if not is_dry:
        plan.apply().raise_for_failures()
except KintoError as error:
    sys.exit(f"error: {error}")
