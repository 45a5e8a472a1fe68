"""A verifier of .vtlic licenses, with `cryptography` and `cbor2`. Section numbers are those of docs/format.md.

trust = Trust([Key('ed25519', public_key)])
verdict = verify(file, trust, Context(issuer='example-vendor', product='vaultdesk', now=int(time.time())))
"""

import base64
import binascii
import hashlib
import itertools
import re
import uuid

import cbor2
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA65PublicKey

from values import COMPOSITE, COUNT, LAYER_OF, MAX_GRACE, MAX_INTEGER, POSITIVE, SMALL_ORDER, TIME, Verdict
from values import integer, is_bytes, is_id, is_uuid7, text

MAX_FILE_BYTES, MAX_DECODED_BYTES, MAX_DEPTH = 98_304, 49_152, 8
TYP = 'application/vnd.vtlic.license+cose'


class Refused(Exception):
    """A refusal of the license: its one argument is the reason."""


def refuse_if(fault, reason):
    if fault:
        raise Refused(reason)


# Sections 3 and 4: armor and CBOR

BODY = rb'((?:[A-Za-z0-9+/]{64}\r?\n)*[A-Za-z0-9+/=]{4,64}\r?\n)'
BLOCK = re.compile(rb'[\t\n\r ]*-----BEGIN VTLIC-----\r?\n' + BODY + rb'-----END VTLIC-----[\t\n\r ]*')


def dearmor(file):
    refuse_if(len(file) > MAX_FILE_BYTES, 'too_large')
    block = BLOCK.fullmatch(file)
    refuse_if(block is None, 'armor_malformed')
    text = block[1].replace(b'\r', b'').replace(b'\n', b'')
    try:
        decoded = base64.b64decode(text, validate=True)
    except binascii.Error:
        raise Refused('armor_malformed') from None
    refuse_if(base64.b64encode(decoded) != text or not decoded, 'armor_malformed')
    refuse_if(len(decoded) > MAX_DECODED_BYTES, 'too_large')
    return decoded


class Walk:
    """Judges bytes by the profile of section 4. `keys` are the encoded keys of the outermost map, if it is one."""

    def __init__(self, data, is_file=False):
        self.data, self.at, self.is_file, self.keys = data, 0, is_file, None
        self.item(depth=0, tag_allowed=is_file)
        refuse_if(self.at != len(data), 'cbor_malformed')

    def item(self, depth, tag_allowed=False):
        data = self.data
        refuse_if(self.at >= len(data), 'cbor_malformed')
        first = data[self.at]
        major, info = first >> 5, first & 31
        self.at += 1
        if first in (0xF4, 0xF5):
            return
        refuse_if(major == 7, 'cbor_malformed')
        refuse_if(info == 31 and major in (2, 3, 4, 5), 'cbor_not_deterministic')
        refuse_if(info > 27, 'cbor_malformed')
        size = 1 << info - 24 if info > 23 else 0
        refuse_if(self.at + size > len(data), 'cbor_malformed')
        argument = int.from_bytes(data[self.at : self.at + size], 'big') if size else info
        self.at += size
        refuse_if(size and argument < (24 if size == 1 else 1 << 4 * size), 'cbor_not_deterministic')
        if major < 2:
            refuse_if(argument > MAX_INTEGER - major, 'cbor_malformed')
        elif major < 4:
            refuse_if(self.at + argument > len(data), 'cbor_malformed')
            self.at += argument
            try:
                data[self.at - argument : self.at].decode('utf-8' if major == 3 else 'latin-1')
            except UnicodeDecodeError:
                raise Refused('cbor_malformed') from None
        elif major == 6:
            refuse_if(not tag_allowed, 'cbor_malformed')
            self.item(depth)
        else:
            refuse_if(depth == MAX_DEPTH, 'cbor_malformed')
            (self.array if major == 4 else self.map)(argument, depth + 1)

    def array(self, count, depth):
        for i in range(count):
            start = self.at
            self.item(depth)
            if self.is_file and depth == 1 and i == 0 and self.data[start] >> 5 == 2:  # 5.1: the protected bytes
                protected = cbor2.loads(self.data[start : self.at])
                if protected:
                    Walk(protected)

    def map(self, count, depth):
        keys = []
        for _ in range(count):
            start = self.at
            self.item(depth)
            key = self.data[start : self.at]
            refuse_if(keys and key <= keys[-1], 'cbor_not_deterministic')
            keys.append(key)
            self.item(depth)
        if depth == 1:
            self.keys = keys


def decode(data, reason):
    """What has passed the walk, as a value. A dict cannot have both 1 and true: cbor2 refuses it here, and rightly."""
    try:
        return cbor2.loads(data, allow_duplicate_keys=False)
    except cbor2.CBORDecodeError:
        raise Refused(reason) from None


# Section 5: COSE


def read_cose(data):
    Walk(data, is_file=True)
    refuse_if(data[0] != 0xD2, 'cose_malformed')  # Tag 18 has this one spelling.
    items = decode(data[1:], 'cose_malformed')
    refuse_if(not isinstance(items, list) or len(items) != 4, 'cose_malformed')
    protected, unprotected, payload, signature = items
    refuse_if(not all(isinstance(item, bytes) for item in (protected, payload, signature)), 'cose_malformed')
    refuse_if(not protected or not isinstance(unprotected, dict) or unprotected, 'cose_malformed')
    refuse_if(Walk(protected).keys != [b'\x01', b'\x04', b'\x10'], 'cose_malformed')
    header = decode(protected, 'cose_malformed')
    alg, kid, typ = header[1], header[4], header[16]
    refuse_if(type(alg) not in (int, str) or not isinstance(kid, bytes) or len(kid) != 32, 'cose_malformed')
    refuse_if(not isinstance(typ, str), 'cose_malformed')
    refuse_if(typ != TYP, 'typ_wrong')
    refuse_if(alg not in (-19, COMPOSITE), 'alg_unknown')
    signed = b'\x84\x6aSignature1' + cbor2.dumps(protected) + b'\x40' + cbor2.dumps(payload)
    return 'ed25519' if alg == -19 else COMPOSITE, kid, payload, signature, signed


# Section 6: keys and signatures


def is_valid(public_key, *arguments):
    try:
        public_key.verify(*arguments)  # It returns nothing.
        return True
    except InvalidSignature:
        return False


def ed25519_valid(public, signature, message):
    """Criteria 4 to 6 of section 6.4: `cryptography` does 4 and 6."""
    good_r = signature[:32] not in SMALL_ORDER
    return good_r and is_valid(Ed25519PublicKey.from_public_bytes(public), signature, message)


PREFIX = b'CompositeAlgorithmSignatures2025'
LABEL = b'COMPSIG-MLDSA65-Ed25519-SHA512'


def signature_valid(key, signature, signed):
    if key.alg == 'ed25519':
        return len(signature) == 64 and ed25519_valid(key.public, signature, signed)
    if len(signature) != 3373:
        return False
    message = PREFIX + LABEL + b'\x00' + hashlib.sha512(signed).digest()
    mldsa65_key = MLDSA65PublicKey.from_public_bytes(key.public[:1952])
    mldsa65_valid = is_valid(mldsa65_key, signature[:3309], message, LABEL)
    return mldsa65_valid and ed25519_valid(key.public[1952:], signature[3309:], message)


# Section 7: claims


def sorted_array(high, is_item):
    """Sorted by bytes, each once: `str` compares code points, which is the same order for ids."""

    def check(value):
        good = isinstance(value, list) and 1 <= len(value) <= high and all(map(is_item, value))
        return good and all(a < b for a, b in itertools.pairwise(value))

    return check


def entries(high, is_value):
    def check(value):
        good = isinstance(value, dict) and 1 <= len(value) <= high
        return good and all(is_id(key) and is_value(item) for key, item in value.items())

    return check


def extension(value):
    if isinstance(value, dict):
        return not value or entries(len(value), extension)(value)
    return not isinstance(value, list) or all(map(extension, value))


REQUIRED = {1: is_id, 2: is_id, 3: is_id, 4: TIME, 5: TIME, 6: TIME, 7: is_uuid7, 'ctr': POSITIVE, 'tier': is_id}
REQUIRED['seats'] = lambda value: COUNT(value) or value == 'unlimited'
CLAIMS = REQUIRED | {
    'features': sorted_array(256, is_id),
    'limits': entries(256, COUNT),
    'instances': POSITIVE,
    'hosts': sorted_array(1024, is_bytes(32)),
    'grace': integer(0, MAX_GRACE),
    'offline': TIME,
    'dep': is_id,
    'name': text(200),
    'ref': text(100),
    'upd': TIME,
    'use': lambda value: isinstance(value, str) and value in ('non-production', 'trial', 'emergency'),
    'clk': lambda value: value is True,
    'ext': entries(64, extension),
}
KNOWN = {cbor2.dumps(key) for key in CLAIMS}


def read_claims(payload):
    try:
        keys = Walk(payload).keys
    except Refused:
        raise Refused('claims_malformed') from None
    refuse_if(keys is None, 'claims_malformed')
    refuse_if(not KNOWN.issuperset(keys), 'claims_unknown')
    claims = decode(payload, 'claims_malformed')
    refuse_if(not REQUIRED.keys() <= claims.keys(), 'claims_malformed')
    refuse_if(not all(CLAIMS[key](value) for key, value in claims.items()), 'claims_malformed')
    refuse_if(claims[5] >= claims[4] or claims[6] >= claims[4], 'claims_malformed')
    return claims


# Section 2: the order; sections 8 to 10: policy, binding, counter, time


def verify(file, trust, context):
    try:
        return judge(file, trust, context)
    except Refused as refusal:
        return Verdict(reason=refusal.args[0], layer=LAYER_OF[refusal.args[0]])


def judge(file, trust, context):
    alg, kid, payload, signature, signed = read_cose(dearmor(file))
    key = trust.by_kid.get(kid)
    refuse_if(key is None and kid in trust.component_kids, 'key_composite_only')
    refuse_if(key is None, 'key_unknown')
    refuse_if(key.alg != alg, 'key_algorithm_mismatch')
    refuse_if(not signature_valid(key, signature, signed), 'signature_invalid')
    claims, digest = read_claims(payload), hashlib.sha256(payload).digest()
    lineage = '/'.join(claims[name] for name in (1, 3, 2, 'dep') if name in claims)
    check_policy(claims, digest, lineage, key, trust, context.now)
    check_binding(claims, context)
    clk = check_seen(claims, digest, lineage, context.seen)
    now = context.now
    if clk:
        now = max(claims[6], now if context.clock is None else context.clock)
    grace_end = claims[4] + claims.get('grace', context.default_grace)
    state = 'active' if now < claims[4] else 'grace' if now < grace_end else 'lapsed'
    state = 'not_yet_valid' if now < claims[5] else state
    return Verdict(state=state, claims=claims, key=key, digest=digest, lineage=lineage, clk=clk)


def check_policy(claims, digest, lineage, key, trust, now):
    refuse_if(not key.counts(digest), 'key_revoked')
    refuse_if(key.purpose != 'license', 'key_wrong_purpose')
    refuse_if(key.products is not None and claims[3] not in key.products, 'key_wrong_purpose')
    refuse_if(key.tiers is not None and claims['tier'] not in key.tiers, 'key_wrong_purpose')
    over = trust.require_composite or (trust.ed25519_until is not None and now >= trust.ed25519_until)
    refuse_if(key.alg == 'ed25519' and over, 'algorithm_not_allowed')
    refuse_if(str(uuid.UUID(bytes=claims[7])) in trust.revoked, 'license_revoked')
    refuse_if(claims['ctr'] < trust.lowest.get(lineage, 0), 'superseded')


def check_binding(claims, context):
    refuse_if(claims[1] != context.issuer, 'issuer_mismatch')
    refuse_if(claims[3] != context.product, 'product_mismatch')
    refuse_if('dep' in claims and claims['dep'] != context.deployment, 'deployment_mismatch')
    refuse_if('hosts' in claims and context.hosts.isdisjoint(claims['hosts']), 'host_mismatch')
    covered = 'upd' not in claims or (context.build_date is not None and context.build_date < claims['upd'])
    refuse_if(not covered, 'build_not_covered')


def check_seen(claims, digest, lineage, seen):
    """Section 10.1; whether `clk` has its effect (10.2)."""
    if seen is None:
        return False
    refuse_if(lineage != seen.current and claims[6] <= seen.highest_iat, 'lineage_not_newer')
    counter, accepted = seen.lineages.get(lineage, (0, None))
    refuse_if(claims['ctr'] < counter, 'counter_rolled_back')
    refuse_if(claims['ctr'] == counter and digest != accepted, 'counter_conflict')
    return 'clk' in claims and lineage == seen.current and claims['ctr'] > counter
