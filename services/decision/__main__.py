from libs.contracts.message import Plane
from libs.runtime.plane import run
from services.decision.app import build

run((Plane.DECISION, build))
