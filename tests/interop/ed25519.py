"""Ed25519 signatures (RFC 8032), as slow as they may be: nothing but the standard library."""

import hashlib

# The field, the curve, the order and the base point.
P, L = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
BASE = "5866666666666666666666666666666666666666666666666666666666666666"


def point(data):
    """The point of 32 bytes, in extended coordinates; none if there is none."""
    number = int.from_bytes(data, "little")
    sign, y = number >> 255, number & (1 << 255) - 1
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if x * x % P != square:
        x = x * pow(2, (P - 1) // 4, P) % P
    if y >= P or x * x % P != square or (x == 0 and sign):
        return None
    x = P - x if x & 1 != sign else x
    return x, y, 1, x * y % P


def add(one, other):
    (x, y, z, t), (u, v, w, s) = one, other
    a, b, c, d = (y - x) * (v - u) % P, (y + x) * (v + u) % P, 2 * t * s * D % P, 2 * z * w % P
    return (b - a) * (d - c) % P, (d + c) * (b + a) % P, (d - c) * (d + c) % P, (b - a) * (b + a) % P


def times(number, one):
    total = (0, 1, 1, 0)
    while number:
        total = add(total, one) if number & 1 else total
        one, number = add(one, one), number >> 1
    return total


def is_signature(key, message, signature):
    public, r, s = point(key), point(signature[:32]), int.from_bytes(signature[32:], "little")
    if public is None or r is None or s >= L:
        return False
    h = int.from_bytes(hashlib.sha512(signature[:32] + key + message).digest(), "little") % L
    (x, y, z, _), (u, v, w, _) = times(s, point(bytes.fromhex(BASE))), add(r, times(h, public))
    return (x * w - u * z) % P == 0 and (y * w - v * z) % P == 0
