from libs.contracts.message import Plane
from libs.runtime.plane import run
from services.execution.app import build

run((Plane.EXECUTION, build))
