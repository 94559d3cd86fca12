"""A broker of its own that wants a sign-in: SASL PLAIN on a second listener, and ACLs.

Its plain listener is for the test itself, as a superuser; nothing leaves loopback.
"""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from runtime.broker import EmbeddedBroker

LOGIN = "org.apache.kafka.common.security.plain.PlainLoginModule required"
AUTHORIZER = "org.apache.kafka.metadata.authorizer.StandardAuthorizer"


@dataclass(frozen=True)
class SecuredBroker:
    """Where the superuser connects without a sign-in, and where everybody else signs in."""

    plain: str
    secured: str

    def security(self, user: str, password: str = "right") -> dict[str, str]:
        """How `user` signs in, as librdkafka's settings."""
        return {
            "security.protocol": "SASL_PLAINTEXT",
            "sasl.mechanism": "PLAIN",
            "sasl.username": user,
            "sasl.password": password,
        }


@contextmanager
def a_secured_broker(
    directory: Path, users: tuple[str, ...], *, has_acls: bool = False
) -> Iterator[SecuredBroker]:
    """Run it; each user's password is ``right``."""
    plain, secured, controller = free_ports(3)
    logins = " ".join(f'user_{user}="right"' for user in users)
    settings = {
        "listeners": ",".join(
            (
                f"PLAINTEXT://127.0.0.1:{plain}",
                f"SASL_PLAINTEXT://127.0.0.1:{secured}",
                f"CONTROLLER://127.0.0.1:{controller}",
            )
        ),
        "advertised.listeners": (
            f"PLAINTEXT://127.0.0.1:{plain},SASL_PLAINTEXT://127.0.0.1:{secured}"
        ),
        "listener.security.protocol.map": (
            "PLAINTEXT:PLAINTEXT,SASL_PLAINTEXT:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT"
        ),
        "inter.broker.listener.name": "PLAINTEXT",
        "controller.quorum.bootstrap.servers": f"127.0.0.1:{controller}",
        "sasl.enabled.mechanisms": "PLAIN",
        "listener.name.sasl_plaintext.plain.sasl.jaas.config": f"{LOGIN} {logins};",
    }
    with EmbeddedBroker(
        directory, plain, heap_mib=384, settings=settings | _acls(has_acls)
    ) as broker:
        yield SecuredBroker(broker.bootstrap, f"127.0.0.1:{secured}")


def _acls(has_acls: bool) -> dict[str, str]:
    if not has_acls:
        return {}
    return {"authorizer.class.name": AUTHORIZER, "super.users": "User:ANONYMOUS"}


def free_ports(number: int) -> list[int]:
    """Ports that nobody listens on now."""
    taken = [socket.create_server(("127.0.0.1", 0)) for _ in range(number)]
    ports = [int(one.getsockname()[1]) for one in taken]
    for one in taken:
        one.close()
    return ports
