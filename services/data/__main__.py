from libs.contracts.message import Plane
from libs.runtime.plane import run
from services.data.app import build

run((Plane.DATA, build))
