"""Files of public keys (section 11.2 of docs/format.md), and the override of a product's environment (11.3)."""

import base64
import binascii
import json
import re
from dataclasses import replace

from values import COMPOSITE, COSE_KEY_HEADS, ConfigurationInvalid, Key, Trust, is_good_point

MAX_KEY_FILE_BYTES, MAX_OVERRIDE_FILE_BYTES, MAX_JSON_DEPTH = 1_048_576, 65_536, 64
BLANKS = b'\t\n\r '
ED25519_SPKI = bytes.fromhex('302a300506032b6570032100')
MLDSA65_SPKI = bytes.fromhex('308207b2300b0609608648016503040312038207a100')
COMPOSITE_SPKI = bytes.fromhex('308207d1300a06082b06010505070630038207c100')
BLOCK = re.compile(
    rb'-----BEGIN PUBLIC KEY-----[\t ]*\r?\n((?:[A-Za-z0-9+/=\t ]*\r?\n)*)-----END PUBLIC KEY-----([\t\n\r ]*)'
)
PRIVATE_MEMBERS = set('d p q dp dq qi oth k priv'.split())
PRIVATE_TEXT = re.compile(
    '----[- ]BEGIN [^-\r\n]{0,64}PRIVATE|PuTTY-User-Key-File-|AGE-SECRET-KEY-'
    '|untrusted comment: [^\r\n]{0,128}secret key',
    re.IGNORECASE | re.ASCII,
)
AGE_ARMOR = '-----BEGIN AGE ENCRYPTED FILE-----'


class KeyFileInvalid(Exception):
    """Its one argument is `key_invalid` or `json_malformed`."""


def require(good, reason='key_invalid'):
    if not good:
        raise KeyFileInvalid(reason)


def unbase64(text, urlsafe=False):
    """Canonical base64 of RFC 4648 section 4, or 5 without padding."""
    padded = text + b'=' * (-len(text) % 4) if urlsafe else text
    try:
        data = base64.b64decode(padded, b'-_' if urlsafe else None, validate=True)
    except binascii.Error:
        raise KeyFileInvalid('key_invalid') from None
    again = base64.b64encode(data, b'-_' if urlsafe else None)
    require((again.rstrip(b'=') if urlsafe else again) == text)
    return data


def make_key(public):
    require(len(public) in (32, 1984) and is_good_point(public[-32:]))
    return Key('ed25519' if len(public) == 32 else COMPOSITE, public)


def has_private_text(text):
    """A character above U+FFFF counts as two, as in UTF-16."""
    units = text.encode('utf-16-le', 'surrogatepass')
    text = (
        ''.join(chr(units[i] | units[i + 1] << 8) for i in range(0, len(units), 2))
        if len(units) > 2 * len(text)
        else text
    )
    return PRIVATE_TEXT.search(text) or AGE_ARMOR in text or text.startswith('age-encryption.org/v')


def read_keys(file):
    require(len(file) <= MAX_KEY_FILE_BYTES)
    require(not has_private_text(file.decode('utf-8', 'replace')))
    start = file.lstrip(BLANKS)
    if file[:1] and 0x80 <= file[0] <= 0xBF:
        keys = [make_key(file[len(head) :]) for head in COSE_KEY_HEADS.values() if file.startswith(head)]
        keys = [key for key in keys if COSE_KEY_HEADS[key.alg] + key.public == file]
        require(keys)
    elif file[:1] == b'0' and re.match(rb'[^\t\n\r A-Za-z0-9+/=]', file[1:2]):
        keys = pair(structures(file))
    elif start.startswith(b'-----BEGIN'):
        keys = pair([part for block in pem_blocks(start) for part in one_structure(block)])
    elif start.startswith(b'{'):
        keys = jwks(read_json(file))
    else:
        keys = [make_key(unbase64(file.translate(None, BLANKS)))]
    unique, components = {}, {}
    for key in keys:
        unique.setdefault(key.kid(), key)
        for part in key.components():
            require(components.setdefault(part, key.kid()) == key.kid())
    return list(unique.values())


def structures(der):
    """The SPKI structures of a DER file, in turn: (kind, key)."""
    found, sizes = [], {ED25519_SPKI: 32, MLDSA65_SPKI: 1952, COMPOSITE_SPKI: 1984}
    while der:
        head = next((head for head in sizes if der.startswith(head)), None)
        require(head is not None and len(der) >= len(head) + sizes[head])
        end = len(head) + sizes[head]
        found.append((sizes[head], der[len(head) : end]))
        der = der[end:]
    return found


def one_structure(der):
    found = structures(der)
    require(len(found) == 1)
    return found


def pem_blocks(text):
    while text:
        block = BLOCK.match(text)
        require(block is not None)
        text = text[block.end() :]
        require(not text or b'\n' in block[2])
        yield unbase64(block[1].translate(None, BLANKS))


def pair(parts):
    """An ML-DSA-65 key and the Ed25519 key right after it are one composite."""
    keys, at = [], 0
    while at < len(parts):
        size, public = parts[at]
        if size == 1952:
            require(at + 1 < len(parts) and parts[at + 1][0] == 32)
            at += 1
            public += parts[at][1]
        keys.append(make_key(public))
        at += 1
    return keys


def read_json(file):
    def members(pairs):
        require(len({name for name, _ in pairs}) == len(pairs), 'json_malformed')
        return dict(pairs)

    def refuse(_):
        raise KeyFileInvalid('json_malformed')

    try:
        # Numbers stay texts: their size has no bound.
        text = file.decode('utf-8')
        value = json.loads(text, object_pairs_hook=members, parse_int=str, parse_float=str, parse_constant=refuse)
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError):
        raise KeyFileInvalid('json_malformed') from None
    texts, names = [], []
    look(value, 1, texts, names)
    try:
        for text in texts:
            text.encode('utf-8')
    except UnicodeEncodeError:  # A lone surrogate.
        raise KeyFileInvalid('json_malformed') from None
    require(PRIVATE_MEMBERS.isdisjoint(names) and not any(map(has_private_text, texts)))
    return value


def look(value, depth, texts, names):
    """All strings of a JSON value, and the names of its members."""
    if isinstance(value, str):
        texts.append(value)
    elif isinstance(value, (dict, list)):
        require(depth <= MAX_JSON_DEPTH, 'json_malformed')
        if isinstance(value, dict):
            names += value.keys()
            texts += value.keys()
        for item in value.values() if isinstance(value, dict) else value:
            look(item, depth + 1, texts, names)


def jwks(value):
    if 'keys' not in value or 'kty' in value:
        require('keys' not in value)
        return [jwk(value)]
    require(isinstance(value['keys'], list) and value['keys'])
    return [jwk(item) for item in value['keys']]


def jwk(value):
    require(isinstance(value, dict))
    if value.get('kty') == 'OKP' and value.get('crv') == 'Ed25519':
        name, size = 'x', 32
    else:
        require(value.get('kty') == 'AKP' and value.get('alg') in (COMPOSITE, 'ML-DSA-65-Ed25519'))
        name, size = 'pub', 1984
    require(isinstance(value.get(name), str) and value[name].isascii())
    public = unbase64(value[name].encode(), urlsafe=True)
    require(len(public) == size)
    return make_key(public)


def override(trust, environment, files):
    """The trust of section 11.3. `files`: path → content."""
    values = {name: value.encode().strip(BLANKS) for name, value in environment.items()}
    ed25519, mldsa65 = (values.get(name, b'') for name in ('LICENSE_PUBLIC_KEY', 'LICENSE_MLDSA_PUBLIC_KEY'))
    composite = values.get('LICENSE_REQUIRE_COMPOSITE', b'')
    try:
        require(composite in (b'', b'1') and (ed25519 or not mldsa65))
        trust = replace(trust, require_composite=trust.require_composite or composite == b'1')
        if not ed25519:
            return trust
        left = [item.strip(BLANKS) for item in ed25519.split(b',')]
        right = [item.strip(BLANKS) for item in mldsa65.split(b',')] if mldsa65 else [b''] * len(left)
        require(len(left) == len(right))
        given = [
            make_key((read_item(b, 1952, files) if b else b'') + read_item(a, 32, files))
            for a, b in zip(left, right, strict=True)
        ]
    except KeyFileInvalid:
        raise ConfigurationInvalid('a variable of the override is at fault') from None
    given = [trust.by_kid.get(key.kid(), key) for key in given]
    Trust([*trust.keys, *given])  # Step 1: the components of all keys together.
    return replace(trust, keys=[*(key for key in trust.keys if key.purpose != 'license'), *given])


def read_item(item, size, files):
    if item.startswith(b'file:'):
        path = item[5:].decode()
        require(path in files and len(files[path]) <= MAX_OVERRIDE_FILE_BYTES)
        item = files[path].strip(BLANKS)
    if item.startswith(b'-----BEGIN'):
        blocks = list(pem_blocks(item))
        require(len(blocks) == 1)
        [(found, public)] = one_structure(blocks[0])
        require(found == size)
        return public
    public = unbase64(item)
    require(len(public) == size)
    return public
