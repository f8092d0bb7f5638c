"""PostgreSQL in the cluster, by the CloudNativePG operator: roles a plane, TLS, archive and scheduled backups."""

from __future__ import annotations

from dev.deploy.objects import MIGRATOR, Object, make, plane_names

NAME = "postgres"
DATABASE = "dealix"
IMAGE = "ghcr.io/cloudnative-pg/postgresql:18-standard-bookworm"
"""The operator's image with pgvector."""
EXTENSIONS = ("pg_trgm", "unaccent", "vector")


def database_objects() -> list[Object]:
    return [
        _cluster(),
        make(
            "barmancloud.cnpg.io/v1",
            "ObjectStore",
            "postgres-backups",
            "database",
            spec={
                "retentionPolicy": "30d",
                "configuration": {
                    "destinationPath": "s3://dealix-backups/",
                    "s3Credentials": {
                        "accessKeyId": {"name": "dealix-backups", "key": "ACCESS_KEY_ID"},
                        "secretAccessKey": {"name": "dealix-backups", "key": "SECRET_ACCESS_KEY"},
                    },
                    "wal": {"compression": "gzip", "encryption": "AES256"},
                    "data": {"compression": "gzip", "encryption": "AES256", "jobs": 2},
                },
            },
        ),
        make(
            "postgresql.cnpg.io/v1",
            "ScheduledBackup",
            "postgres-nightly",
            "database",
            spec={
                # Seconds first: every night at 00:30 UTC.
                "schedule": "0 30 0 * * *",
                "backupOwnerReference": "self",
                "cluster": {"name": NAME},
                "method": "plugin",
                "pluginConfiguration": {"name": "barman-cloud.cloudnative-pg.io"},
            },
        ),
        *(_login(name) for name in (*plane_names(), MIGRATOR)),
        _backup_credentials(),
    ]


def _cluster() -> Object:
    return make(
        "postgresql.cnpg.io/v1",
        "Cluster",
        NAME,
        "database",
        spec={
            "instances": 3,
            "imageName": IMAGE,
            "primaryUpdateStrategy": "unsupervised",
            "enablePDB": True,
            "enableSuperuserAccess": False,
            # A commit is on a second machine before it is answered: PostgreSQL is the truth.
            "postgresql": {
                "synchronous": {"method": "any", "number": 1, "dataDurability": "required"},
                "parameters": {
                    "max_connections": "400",
                    "shared_buffers": "2GB",
                    "effective_cache_size": "6GB",
                    "wal_compression": "on",
                    "idle_in_transaction_session_timeout": "120s",
                    "log_min_duration_statement": "1s",
                    # A statement's values can be personal data.
                    "log_parameter_max_length": "0",
                    "log_parameter_max_length_on_error": "0",
                },
                "pg_hba": [
                    "hostnossl all all all reject",
                    "hostssl dealix +dealix_planes all scram-sha-256",
                    "hostssl all dealix_migrator all scram-sha-256",
                ],
            },
            "bootstrap": {
                "initdb": {
                    "database": DATABASE,
                    "owner": "dealix_migrator",
                    "secret": {"name": f"postgres-{MIGRATOR}"},
                    "encoding": "UTF8",
                    "localeCollate": "C.UTF-8",
                    "localeCType": "C.UTF-8",
                    "dataChecksums": True,
                    "postInitApplicationSQL": [f"create extension if not exists {name}" for name in EXTENSIONS],
                }
            },
            "managed": {"roles": [_group(), *(_role(plane) for plane in plane_names())]},
            "storage": {"size": "100Gi", "resizeInUseVolumes": True},
            "walStorage": {"size": "20Gi"},
            "resources": {
                "requests": {"cpu": "2", "memory": "8Gi"},
                "limits": {"cpu": "4", "memory": "8Gi"},
            },
            "affinity": {
                "enablePodAntiAffinity": True,
                "topologyKey": "kubernetes.io/hostname",
                "podAntiAffinityType": "required",
            },
            "monitoring": {"enablePodMonitor": True},
            "plugins": [
                {
                    "name": "barman-cloud.cloudnative-pg.io",
                    "isWALArchiver": True,
                    "parameters": {"barmanObjectName": "postgres-backups"},
                }
            ],
        },
    )


def _group() -> Object:
    return {"name": "dealix_planes", "ensure": "present", "login": False, "superuser": False, "inherit": False}


def _role(plane: str) -> Object:
    """A plane's login. What it may do in its schema is granted by the migrator; BYPASSRLS is nobody's."""
    return {
        "name": f"dealix_{plane}",
        "ensure": "present",
        "login": True,
        "superuser": False,
        "createdb": False,
        "createrole": False,
        "bypassrls": False,
        "inherit": False,
        "inRoles": ["dealix_planes"],
        "connectionLimit": 250,
        "passwordSecret": {"name": f"postgres-{plane}"},
    }


def _login(name: str) -> Object:
    """The secret from which the operator sets a role's password (kubernetes.io/basic-auth, as it requires)."""
    return make(
        "external-secrets.io/v1",
        "ExternalSecret",
        f"postgres-{name}",
        "database",
        spec={
            "refreshInterval": "1h",
            "secretStoreRef": {"kind": "SecretStore", "name": "dealix"},
            "target": {
                "name": f"postgres-{name}",
                "creationPolicy": "Owner",
                "deletionPolicy": "Retain",
                "template": {"type": "kubernetes.io/basic-auth", "metadata": {"labels": {"cnpg.io/reload": "true"}}},
            },
            "dataFrom": [{"extract": {"key": f"postgres-{name}"}}],
        },
    )


def _backup_credentials() -> Object:
    return make(
        "external-secrets.io/v1",
        "ExternalSecret",
        "dealix-backups",
        "database",
        spec={
            "refreshInterval": "1h",
            "secretStoreRef": {"kind": "SecretStore", "name": "dealix"},
            "target": {"name": "dealix-backups", "creationPolicy": "Owner", "deletionPolicy": "Retain"},
            "dataFrom": [{"extract": {"key": "backups"}}],
        },
    )
