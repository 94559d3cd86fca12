"""Whether an Ed25519 signature is right (RFC 8032), where keys may be of that kind. Pure.

Slow, and of no use to who keeps a secret: a venue has the public half alone.
"""

from hashlib import sha512

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
SQRT_OF_MINUS_ONE = pow(2, (P - 1) // 4, P)
Point = tuple[int, int, int, int]
"""X, Y, Z and T of x = X/Z, y = Y/Z, x * y = T/Z."""


def _add(one: Point, other: Point) -> Point:
    a, b = (one[1] - one[0]) * (other[1] - other[0]), (one[1] + one[0]) * (other[1] + other[0])
    c, d = 2 * one[3] * other[3] * D, 2 * one[2] * other[2]
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def _times(number: int, point: Point) -> Point:
    total: Point = (0, 1, 1, 0)
    while number:
        if number & 1:
            total = _add(total, point)
        point, number = _add(point, point), number >> 1
    return total


def _is_same(one: Point, other: Point) -> bool:
    is_x = (one[0] * other[2] - other[0] * one[2]) % P == 0
    return is_x and (one[1] * other[2] - other[1] * one[2]) % P == 0


def _x_of(y: int, sign: int) -> int | None:
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * SQRT_OF_MINUS_ONE % P
    if (x * x - square) % P or (not x and sign):
        return None
    return P - x if x & 1 != sign else x


def _point(text: bytes) -> Point | None:
    said = int.from_bytes(text, "little")
    y, sign = said & (2**255 - 1), said >> 255
    x = _x_of(y, sign) if y < P else None
    return None if x is None else (x, y, 1, x * y % P)


BASE_Y = 4 * pow(5, P - 2, P) % P
BASE = _point(BASE_Y.to_bytes(32, "little"))


def is_signed(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether who has the other half of this key of 32 bytes signed the message."""
    if len(public) != 32 or len(signature) != 64:
        return False
    key, committed = _point(public), _point(signature[:32])
    number = int.from_bytes(signature[32:], "little")
    if key is None or committed is None or BASE is None or number >= ORDER:
        return False
    digest = sha512(signature[:32] + public + message).digest()
    challenge = int.from_bytes(digest, "little") % ORDER
    return _is_same(_times(number, BASE), _add(committed, _times(challenge, key)))
