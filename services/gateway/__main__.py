from libs.contracts.message import Plane
from libs.runtime.plane import run
from services.gateway.app import build

run((Plane.GATEWAY, build))
