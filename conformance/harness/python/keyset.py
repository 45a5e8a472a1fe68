"""Chains of keysets, with section numbers K of docs/keysets.md: which version counts, and the trust that follows."""

import base64
import binascii
import hashlib
import re
import uuid
from dataclasses import dataclass

import cbor2

from values import COMPOSITE, COSE_KEY_HEADS, POSITIVE, TIME, ConfigurationInvalid, Key, Trust, integer, is_bytes
from values import is_good_point, is_id, is_lineage, is_uuid7
from verify import Refused, Walk, decode, refuse_if, signature_valid, sorted_array

MAX_CHAIN_BYTES, MAX_BLOCKS, MAX_KEYSET_BYTES = 16_777_216, 4_096, 524_288
TYP = 'application/vnd.vtlic.keyset+cose'
BODY = rb'((?:[A-Za-z0-9+/]{64}\r?\n)*[A-Za-z0-9+/=]{4,64}\r?\n)'
BLOCK = re.compile(rb'-----BEGIN VTLIC KEYSET-----\r?\n' + BODY + rb'-----END VTLIC KEYSET-----')
BLANKS = re.compile(rb'[\t\n\r ]*')


def blocks(chain):
    """The decoded blocks of a chain, in turn (K3). What is before a block belongs to it."""
    refuse_if(len(chain) > MAX_CHAIN_BYTES, 'keyset_too_large')
    gap, count = BLANKS.match(chain), 0
    while count == 0 or gap.end() < len(chain):
        refuse_if(count == MAX_BLOCKS, 'keyset_too_large')
        block = BLOCK.match(chain, gap.end())
        refuse_if(block is None or count > 0 and b'\n' not in gap[0], 'keyset_armor_malformed')
        text = block[1].replace(b'\r', b'').replace(b'\n', b'')
        try:
            decoded = base64.b64decode(text, validate=True)
        except binascii.Error:
            raise Refused('keyset_armor_malformed') from None
        refuse_if(base64.b64encode(decoded) != text or not decoded, 'keyset_armor_malformed')
        refuse_if(len(decoded) > MAX_KEYSET_BYTES, 'keyset_too_large')
        yield decoded
        gap, count = BLANKS.match(chain, block.end()), count + 1


@dataclass(frozen=True)
class Keyset:
    payload: dict
    digest: bytes
    signers: list  # (kid, alg, what it signs, signature)

    def roots(self):
        return [key_of(root, 'root') for root in self.payload['roots']]

    def keys(self):
        return [key_of(key['key'], key['purpose'], key) for key in self.payload['keys']]

    def policy(self):
        return self.payload.get('policy', {})


def key_of(data, purpose, member=None):
    """A key from its COSE_Key, whose form has been judged."""
    member = member or {'status': 'active'}
    some = {name: frozenset(member[name]) for name in ('products', 'tiers', 'honored') if name in member}
    alg, public = ('ed25519', data[8:]) if len(data) == 40 else (COMPOSITE, data[-1984:])
    return Key(alg, public, purpose, member['status'], **some)


def walk(data, is_file=False):
    try:
        return Walk(data, is_file)
    except Refused as refusal:
        raise Refused('keyset_' + refusal.args[0]) from None


def header(data, keys):
    """A protected header with exactly these keys."""
    value = decode(data, 'keyset_cose_malformed') if walk(data).keys == keys else None
    refuse_if(value is None, 'keyset_cose_malformed')
    return value


def read_keyset(data):
    """K1, in the order of its rule 6; then K2."""
    walk(data, is_file=True)
    refuse_if(data[:2] != b'\xd8\x62', 'keyset_cose_malformed')
    items = decode(data[2:], 'keyset_cose_malformed')
    body, payload, signatures = shape(items, 4)
    refuse_if(not isinstance(signatures, list) or not 1 <= len(signatures) <= 64, 'keyset_cose_malformed')
    typ = header(body, [b'\x10'])[16]
    refuse_if(not isinstance(typ, str), 'keyset_cose_malformed')
    parts = [shape(signature, 3) for signature in signatures]
    for protected, _ in parts:
        walk(protected)
    signers = []
    for protected, signature in parts:
        alg, kid = (header(protected, [b'\x01', b'\x04'])[key] for key in (1, 4))
        refuse_if(type(alg) not in (int, str) or not is_bytes(32)(kid), 'keyset_cose_malformed')
        texts = [cbor2.dumps(text) for text in (body, protected, b'', payload)]
        signers.append((kid, alg, b'\x85\x69Signature' + b''.join(texts), signature))
    refuse_if(typ != TYP, 'keyset_typ_wrong')
    refuse_if(any(alg not in (-19, COMPOSITE) for _, alg, _, _ in signers), 'keyset_alg_unknown')
    kids = [kid for kid, _, _, _ in signers]
    refuse_if(any(a >= b for a, b in zip(kids, kids[1:])), 'keyset_cose_malformed')
    return Keyset(read_payload(payload), hashlib.sha256(payload).digest(), signers)


def shape(items, count):
    """An array of so many items that begins with bytes and an empty map. Returns the others, with the first."""
    good = isinstance(items, list) and len(items) == count and isinstance(items[0], bytes) and items[0] != b''
    good = good and isinstance(items[1], dict) and not items[1] and isinstance(items[2], bytes)
    refuse_if(not good, 'keyset_cose_malformed')
    return (items[0], *items[2:])


def is_cose_key(value):
    head = isinstance(value, bytes) and COSE_KEY_HEADS[COMPOSITE if len(value) == 2010 else 'ed25519']
    return bool(head) and value.startswith(head) and len(value) in (40, 2010)


def members(checks, required):
    """A map with text keys. An unknown member is found by `unknown`."""

    def check(value):
        good = isinstance(value, dict) and set(required.split()) <= value.keys() <= checks.keys()
        return good and all(checks[name](item) for name, item in value.items())

    return check


def one_of(*texts):
    return lambda value: isinstance(value, str) and value in texts


ISSUING_KEY = {
    'key': is_cose_key,
    'purpose': one_of('license', 'license-key'),
    'status': one_of('pre-published', 'active', 'retired', 'revoked'),
    'products': sorted_array(64, is_id),
    'tiers': sorted_array(64, is_id),
    'from': TIME,
    'until': TIME,
    'honored': sorted_array(12_288, is_bytes(32)),
}
POLICY = {'composite': lambda value: value is True, 'ed25519_until': TIME}


def is_issuing_key(value):
    good = members(ISSUING_KEY, 'key purpose status')(value)
    good = good and value.get('from', -1) < value.get('until', 1 << 53)
    return good and ('honored' not in value or value['status'] == 'revoked')


def issuing_keys(value):
    good = isinstance(value, list) and len(value) <= 128 and all(map(is_issuing_key, value))
    return good and all(a['key'] < b['key'] for a, b in zip(value, value[1:]))


def is_lowest(value):
    good = isinstance(value, dict) and 1 <= len(value) <= 8_192
    return good and all(is_lineage(name) and POSITIVE(counter) for name, counter in value.items())


PAYLOAD = {
    'iss': is_id,
    'version': POSITIVE,
    'made': TIME,
    'expires': TIME,
    'roots': sorted_array(16, is_cose_key),
    'threshold': integer(1, 16),
    'keys': issuing_keys,
    'policy': lambda value: members(POLICY, '')(value) and len(value) > 0,
    'revoked': sorted_array(16_384, is_uuid7),
    'lowest': is_lowest,
}


def read_payload(data):
    try:
        is_map = Walk(data).keys is not None
    except Refused:
        raise Refused('keyset_claims_malformed') from None
    refuse_if(not is_map, 'keyset_claims_malformed')
    value = decode(data, 'keyset_claims_malformed')
    maps = [(value, PAYLOAD), (value.get('policy'), POLICY)]
    if isinstance(value.get('keys'), list):
        maps += [(key, ISSUING_KEY) for key in value['keys']]
    unknown = any(isinstance(part, dict) and not part.keys() <= checks.keys() for part, checks in maps)
    refuse_if(unknown, 'keyset_claims_unknown')
    good = members(PAYLOAD, 'iss version made roots threshold keys')(value)
    good = good and value['made'] < value.get('expires', 1 << 53) and value['threshold'] <= len(value['roots'])
    refuse_if(not good, 'keyset_claims_malformed')
    return value


class Chain:
    """A trusted chain. `require_composite` is compiled in."""

    def __init__(self, require_composite=False):
        self.digests, self.purposes, self.components = {}, {}, {}
        self.newest, self.composite_roots, self.require_composite = None, require_composite, require_composite
        self.former_roots = {}

    def version(self):
        return self.newest.payload['version']

    def add(self, keyset):
        """Rule 8 of K4; then the version is the newest."""
        keys, roots = keyset.keys(), keyset.roots()
        refuse_if(not all(is_good_point(key.public[-32:]) for key in keys), 'keyset_key_invalid')
        purposes, components = dict(self.purposes), dict(self.components)
        for key in roots + keys:
            refuse_if(purposes.setdefault(key.kid(), key.purpose) != key.purpose, 'keyset_purpose_changed')
        for key in roots + keys:
            for part in key.components():
                refuse_if(components.setdefault(part, key.kid()) != key.kid(), 'keyset_component_shared')
        if self.newest is not None:
            kids = {key.kid() for key in keys}
            refuse_if(any(key.kid() not in kids for key in self.newest.keys()), 'keyset_key_removed')
        self.purposes, self.components, self.newest = purposes, components, keyset
        self.former_roots |= {root.kid(): root for root in roots}
        self.digests[keyset.payload['version']] = keyset.digest
        self.composite_roots = self.composite_roots or bool(keyset.policy())

    def accept(self, keyset):
        """Rules 3 to 8 of K4."""
        version = keyset.payload['version']
        if version <= self.version():
            refuse_if(self.digests.get(version, keyset.digest) != keyset.digest, 'keyset_conflict')
            return
        before, own = ({root.kid(): root for root in one.roots()} for one in (self.newest, keyset))
        refuse_if(not all(is_good_point(root.public[-32:]) for root in own.values()), 'keyset_key_invalid')
        signed = set()
        for kid, alg, structure, signature in keyset.signers:
            root = before.get(kid) or own.get(kid)
            if root is not None:
                is_alg = alg == (-19 if root.alg == 'ed25519' else COMPOSITE)
                refuse_if(not is_alg or not signature_valid(root, signature, structure), 'keyset_signature_invalid')
                signed.add(kid)

        def counts(roots, composite_only):
            return sum(
                1 for kid, root in roots.items() if kid in signed and (root.alg == COMPOSITE or not composite_only)
            )

        enough = counts(before, self.composite_roots) >= self.newest.payload['threshold']
        refuse_if(not enough, 'keyset_threshold_previous')
        own_only = self.composite_roots or bool(keyset.policy())
        refuse_if(counts(own, own_only) < keyset.payload['threshold'], 'keyset_threshold_own')
        self.add(keyset)

    def extend(self, data):
        """Takes what continues this chain. Returns the newest version of the file, and the fault that ended it."""
        last = 0
        try:
            for block in blocks(data):
                keyset = read_keyset(block)
                refuse_if(keyset.payload['iss'] != self.newest.payload['iss'], 'keyset_issuer_mismatch')
                refuse_if(keyset.payload['version'] <= last, 'keyset_not_ascending')
                last = keyset.payload['version']
                self.accept(keyset)
        except Refused as refusal:
            return last, refusal.args[0]
        return last, None

    def trust(self):
        """K6."""
        payload, policy = self.newest.payload, self.newest.policy()
        revoked = frozenset(str(uuid.UUID(bytes=item)) for item in payload.get('revoked', []))
        keys = [*self.newest.keys(), *self.former_roots.values()]
        composite = self.require_composite or 'composite' in policy
        return Trust(keys, composite, policy.get('ed25519_until'), revoked, payload.get('lowest', {}))


def built_in(data, issuer, require_composite):
    """K5, rule 1: the signatures are not judged."""
    chain = Chain(require_composite)
    try:
        for block in blocks(data):
            keyset = read_keyset(block)
            refuse_if(keyset.payload['iss'] != issuer, 'keyset_issuer_mismatch')
            refuse_if(chain.newest and keyset.payload['version'] <= chain.version(), 'keyset_not_ascending')
            refuse_if(not all(is_good_point(root.public[-32:]) for root in keyset.roots()), 'keyset_key_invalid')
            chain.add(keyset)
    except Refused as refusal:
        raise ConfigurationInvalid(refusal.args[0]) from None
    return chain


def choose(data, issuer, copies, file, require_composite):
    """K5: the chain that counts, where it is from, and the notices."""
    chain, notices, source = built_in(data, issuer, require_composite), [], 'built-in'
    sources = [('state', copy) for copy in copies] + [('file', data) for data in [file] if data is not None]
    for name, data in sources:
        before = chain.version()
        last, fault = chain.extend(data)
        source = name if chain.version() > before else source
        reason = fault or ('keyset_older' if name == 'file' and last < before else None)
        notices += [{'source': name, 'reason': reason}] if reason else []
    return chain, source, notices
