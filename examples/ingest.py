"""Bring a collection to the domains of a text file: python examples/ingest.py domains.txt"""

import sys
from pathlib import Path

import kintomodel
from kintomodel import KintoError, Model


class Domain(Model, bucket="blocklists", collection="domains"):
    domain: str


try:
    client = kintomodel.connect()  # KINTO_SERVER, KINTO_AUTH
    client.create_bucket("blocklists", if_not_exists=True).create_collection("domains", if_not_exists=True)
    file = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).with_name("domains.txt")
    domains = [line.strip() for line in file.read_text().splitlines() if line.strip()]
    wanted = [{"id": domain.replace(".", "-"), "domain": domain} for domain in domains]
    plan = Domain.objects.sync(wanted, delete=True)
    print(f"{client.url}: {plan}")
    plan.apply().raise_for_failures()
except KintoError as error:
    sys.exit(f"error: {error}")
