"""What trust's records say of a launch: results of controls, and checks of its own, for the plane that keeps the gates."""
