from libs.contracts.message import Plane
from libs.runtime.plane import run
from services.operating.app import build

run((Plane.OPERATING, build))
