"""What goes into a verifier and comes out: trust and context, each judged as a whole when it is made, and verdict.

Section numbers are those of docs/format.md.
"""

import hashlib
import re
from dataclasses import dataclass, field

MAX_INTEGER, MAX_TIME, MAX_GRACE = 2**53 - 1, 253_402_300_799, 31_622_400
COMPOSITE = 'ed25519+ml-dsa-65'


class ConfigurationInvalid(Exception):
    """The trust is at fault as a whole (8.1)."""


# Section 7.1: types

ID = re.compile('[A-Za-z0-9][A-Za-z0-9._:-]{0,127}')


def is_id(value):
    return isinstance(value, str) and ID.fullmatch(value) is not None


def is_lineage(value):
    return isinstance(value, str) and value.count('/') in (2, 3) and all(map(is_id, value.split('/')))


def integer(low, high):
    return lambda value: type(value) is int and low <= value <= high  # A bool is an int in Python.


def is_bytes(length):
    return lambda value: isinstance(value, bytes) and len(value) == length


def text(high):
    return lambda value: isinstance(value, str) and 1 <= len(value) <= high  # len() counts code points.


def is_uuid7(value):
    return is_bytes(16)(value) and value[6] >> 4 == 7 and value[8] >> 6 == 2


TIME, COUNT, POSITIVE = integer(0, MAX_TIME), integer(0, MAX_INTEGER), integer(1, MAX_INTEGER)

# Section 6: public keys

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = 37095705934669439343138083508754565189542113879843219016388785533085940283555
SMALL_ORDER = {y.to_bytes(32, 'little') for y in (1, P - 1, 0, 2**255)} | {
    bytes.fromhex(y + sign)
    for y in (
        '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc',
        'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03',
    )
    for sign in (('05', '85') if y.startswith('26') else ('7a', 'fa'))
}
SIGNED_ZERO = {(1 + 2**255).to_bytes(32, 'little'), (P - 1 + 2**255).to_bytes(32, 'little')}


def is_good_point(public):
    """Criteria 1 to 3 of section 6.4: `cryptography` takes any 32 bytes."""
    y = int.from_bytes(public, 'little') & (1 << 255) - 1
    if y >= P or public in SIGNED_ZERO or public in SMALL_ORDER:
        return False
    return pow((y * y - 1) * (D * y * y + 1), (P - 1) // 2, P) in (0, 1)


# A COSE_Key, which is the input of the kid (6.2), is one of these and the public key.
COSE_KEY_HEADS = {
    'ed25519': bytes.fromhex('a301012006215820'),
    COMPOSITE: b'\xa3\x01\x07\x03\x71' + COMPOSITE.encode() + b'\x20\x59\x07\xc0',
}


def kid_of(alg, public):
    return hashlib.sha256(COSE_KEY_HEADS[alg] + public).digest()


@dataclass(frozen=True)
class Key:
    """A trusted key (8.1). No list of products or tiers means every one."""

    alg: str
    public: bytes
    purpose: str = 'license'
    status: str = 'active'
    products: frozenset | None = None
    tiers: frozenset | None = None
    honored: frozenset | None = None

    def counts(self, digest):
        """Whether a payload with this digest, signed by the key, still counts."""
        return self.status != 'revoked' or digest in (self.honored or ())

    def kid(self):
        return kid_of(self.alg, self.public)

    def components(self):
        """The Ed25519 one first (8.2)."""
        return [self.public] if self.alg == 'ed25519' else [self.public[1952:], self.public[:1952]]


# Section 8: trust

PURPOSES = 'license license-key root ledger approval transcript counters release receipt'.split()
STATUSES = 'pre-published active retired revoked'.split()
UUID7 = re.compile('[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}')


@dataclass(frozen=True)
class Trust:
    keys: list
    require_composite: bool = False
    ed25519_until: int | None = None
    revoked: frozenset = frozenset()
    lowest: dict = field(default_factory=dict)

    def __post_init__(self):
        """Judges the trust as a whole."""
        by_kid, components = {}, {}
        for key in self.keys:
            size = {'ed25519': 32, COMPOSITE: 1984}.get(key.alg)
            good = len(key.public) == size and is_good_point(key.public[-32:])
            good = good and key.purpose in PURPOSES and key.status in STATUSES
            good = good and all(map(is_id, (key.products or set()) | (key.tiers or set())))
            good = good and all(map(is_bytes(32), key.honored or ())) and (key.status == 'revoked' or not key.honored)
            good = good and by_kid.setdefault(key.kid(), key) == key
            if not good or any(components.setdefault(part, key.kid()) != key.kid() for part in key.components()):
                raise ConfigurationInvalid('a key is not usable, is there twice, or shares a component')
        good = self.ed25519_until is None or TIME(self.ed25519_until)
        good = good and all(UUID7.fullmatch(item) for item in self.revoked)
        if not good or not all(is_lineage(name) and COUNT(counter) for name, counter in self.lowest.items()):
            raise ConfigurationInvalid('the policy has a license id, lineage, counter or time that is none')
        object.__setattr__(self, 'by_kid', by_kid)
        composites = [key for key in self.keys if key.alg == COMPOSITE]
        object.__setattr__(self, 'component_kids', {kid_of('ed25519', key.public[1952:]) for key in composites})


# Section 9: context


@dataclass(frozen=True)
class Seen:
    """What was accepted before. `lineages`: lineage → (highest counter, digest of its payload)."""

    current: str
    highest_iat: int
    lineages: dict


@dataclass(frozen=True)
class Context:
    issuer: str
    product: str
    now: int
    default_grace: int = 0
    deployment: str | None = None
    hosts: frozenset = frozenset()
    build_date: int | None = None
    clock: int | None = None
    seen: Seen | None = None

    def __post_init__(self):
        seen, good = self.seen, is_id(self.issuer) and is_id(self.product) and TIME(self.now)
        good = good and integer(0, MAX_GRACE)(self.default_grace) and all(map(is_bytes(32), self.hosts))
        good = good and (self.deployment is None or is_id(self.deployment))
        good = good and all(time is None or TIME(time) for time in (self.build_date, self.clock))
        if good and seen is not None:
            good = seen.current in seen.lineages and TIME(seen.highest_iat) and all(map(is_lineage, seen.lineages))
            good = good and all(POSITIVE(counter) and is_bytes(32)(d) for counter, d in seen.lineages.values())
        if not good:
            raise ValueError('the context is not one of section 9')


# Section 2: verdict

LAYERS = {  # Section 2: the closed list of reasons, by layer.
    'size': 'too_large',
    'armor': 'armor_malformed',
    'cbor': 'cbor_malformed cbor_not_deterministic',
    'cose': 'cose_malformed typ_wrong alg_unknown',
    'key': 'key_composite_only key_unknown key_algorithm_mismatch',
    'signature': 'signature_invalid',
    'claims': 'claims_malformed claims_unknown',
    'policy': 'key_revoked key_wrong_purpose algorithm_not_allowed license_revoked superseded',
    'binding': 'issuer_mismatch product_mismatch deployment_mismatch host_mismatch build_not_covered',
    'lineage': 'lineage_not_newer',
    'counter': 'counter_rolled_back counter_conflict',
}
LAYER_OF = {reason: layer for layer, reasons in LAYERS.items() for reason in reasons.split()}


@dataclass(frozen=True)
class Verdict:
    """`reason` is None where the license is good; then all but `layer` is there. `clk`: it had its effect (10.2)."""

    reason: str | None = None
    layer: str | None = None
    state: str | None = None
    claims: dict | None = None
    key: Key | None = None
    digest: bytes | None = None
    lineage: str | None = None
    clk: bool = False
