"""Kubernetes manifests and images, generated from the declarations: subjects, planes, objectives."""
