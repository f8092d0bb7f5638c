from libs.contracts.message import Plane
from libs.runtime.plane import run
from services.trust.app import build

run((Plane.TRUST, build))
